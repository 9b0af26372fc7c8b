"""Messages that are due, in portions to decide on together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.trigger_worker.stored import queued
from trigger_worker.deciding.sequence.portions import first_portion
from trigger_worker.store.records import QueuedMessage

visitors = st.lists(st.sampled_from(["anna", "bob", "carl", "dora"]), max_size=20)


def due(names: list[str]) -> list[QueuedMessage]:
    return [queued(f"m{number:02d}", visitor_id=name) for number, name in enumerate(names)]


def whose(messages: list[QueuedMessage]) -> set[str]:
    return {message.visitor_id for message in messages}


@given(visitors, st.integers(1, 20))
def test_a_visitors_messages_stay_together_and_all_keep_their_order(names: list[str], most: int) -> None:
    messages = due(names)
    portion, rest = first_portion(messages, most)
    assert not whose(portion) & whose(rest)
    for part in (portion, rest):
        assert part == [message for message in messages if message in part]
    assert len(portion) + len(rest) == len(messages)


@given(visitors.filter(bool), st.integers(1, 20))
def test_a_portion_is_too_large_only_for_one_visitor_and_never_empty(names: list[str], most: int) -> None:
    portion, rest = first_portion(due(names), most)
    assert portion
    assert len(portion) <= most or whose(portion) == {names[0]}
    assert rest or len(portion) == len(names)


def test_one_id_on_two_sites_is_two_visitors() -> None:
    here, there = queued("a"), queued("b", site="other")
    assert first_portion([here, there], 1) == ([here], [there])
