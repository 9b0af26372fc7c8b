"""Messages that wait for their time."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.trigger_worker.stored import queued
from trigger_worker.deciding.sequence.outbox import Outbox, first_batch, one_per_firing
from trigger_worker.store.message import QueuedMessage


def test_an_empty_outbox_waits_for_nothing() -> None:
    assert Outbox().next_due is None
    assert Outbox().take_due(10) == []


def test_what_is_due_is_taken_once_and_the_rest_stays() -> None:
    outbox = Outbox()
    outbox.add([queued("later", due_at=11), queued("now", due_at=10)])
    assert [message.message_id for message in outbox.take_due(10)] == ["now"]
    assert outbox.take_due(10) == []
    assert (len(outbox), outbox.next_due) == (1, 11)


def test_of_the_same_instant_the_highest_priority_comes_first() -> None:
    outbox = Outbox()
    outbox.add([queued("low", priority=1), queued("high", priority=90), queued("middle", priority=50)])
    due = outbox.take_due(queued().due_at)
    assert [message.message_id for message in due] == ["high", "middle", "low"]


def test_a_message_that_was_moved_is_due_at_its_new_time_only() -> None:
    outbox = Outbox()
    outbox.add([queued("a", due_at=10)])
    outbox.add([queued("a", due_at=20)])
    assert len(outbox) == 1
    assert outbox.take_due(19) == []
    assert outbox.next_due == 20
    assert [message.due_at for message in outbox.take_due(20)] == [20]
    assert outbox.next_due is None


def test_messages_to_people_who_were_erased_are_forgotten() -> None:
    outbox = Outbox()
    outbox.add([queued("a", due_at=10), queued("b", due_at=20)])
    assert outbox.forget_erased(lambda site, _: site == "another") == 0
    assert (len(outbox), outbox.next_due) == (2, 10)
    assert outbox.forget_erased(lambda *_: True) == 2
    assert (len(outbox), outbox.next_due, outbox.take_due(30)) == (0, None, [])


def test_a_message_added_twice_is_taken_once() -> None:
    outbox = Outbox()
    outbox.add([queued("a"), queued("a")])
    assert len(outbox.take_due(queued().due_at)) == 1


@example([(0, 0, 0), (1, 0, 1), (1, 0, 0)], [0])
@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 20), st.integers(0, 3))),
    st.lists(st.integers(0, 20)),
)
def test_it_gives_what_a_sorted_list_of_the_latest_words_gives(
    additions: list[tuple[int, int, int]], instants: list[int]
) -> None:
    outbox = Outbox()
    waiting = {}
    for number, due_at, priority in additions:
        message = queued(str(number), due_at=due_at, priority=priority)
        outbox.add([message])
        waiting[message.message_id] = message
    for now_ms in sorted(instants):
        expected = [message for message in waiting.values() if message.due_at <= now_ms]
        expected.sort(key=lambda message: (message.due_at, -message.priority, message.message_id))
        assert outbox.take_due(now_ms) == expected
        for message in expected:
            del waiting[message.message_id]
        assert len(outbox) == len(waiting)


@pytest.mark.parametrize(
    ("due", "under_way", "turn", "waiting"),
    [
        ([], [], [], []),
        (["a1", "b1"], [], ["a1", "b1"], []),
        (["a1", "a2", "b1", "a3"], [], ["a1", "b1"], ["a2", "a3"]),
        (["a1", "b1"], ["a0"], ["b1"], ["a1"]),
        (["a1", "b1"], ["a0", "b0"], [], ["a1", "b1"]),
    ],
)
def test_the_first_of_each_firing_goes_unless_another_of_it_is_under_way(
    due: list[str], under_way: list[str], turn: list[str], waiting: list[str]
) -> None:
    taken, left = one_per_firing(
        [queued(name, fire_id=name[0]) for name in due], [queued(name, fire_id=name[0]) for name in under_way]
    )
    assert [message.message_id for message in taken] == turn
    assert [message.message_id for message in left] == waiting


visitors = st.lists(st.sampled_from(["anna", "bob", "carl", "dora"]), max_size=20)


def due(names: list[str]) -> list[QueuedMessage]:
    return [queued(f"m{number:02d}", visitor_id=name) for number, name in enumerate(names)]


def whose(messages: list[QueuedMessage]) -> set[str]:
    return {message.visitor_id for message in messages}


@given(visitors, st.integers(1, 20))
def test_a_visitors_messages_stay_together_and_all_keep_their_order(names: list[str], most: int) -> None:
    messages = due(names)
    portion, rest = first_batch(messages, most)
    assert not whose(portion) & whose(rest)
    for part in (portion, rest):
        assert part == [message for message in messages if message in part]
    assert len(portion) + len(rest) == len(messages)


@given(visitors.filter(bool), st.integers(1, 20))
def test_a_portion_is_too_large_only_for_one_visitor_and_never_empty(names: list[str], most: int) -> None:
    portion, rest = first_batch(due(names), most)
    assert portion
    assert len(portion) <= most or whose(portion) == {names[0]}
    assert rest or len(portion) == len(names)


def test_one_id_on_two_sites_is_two_visitors() -> None:
    here, there = queued("a"), queued("b", site="other")
    assert first_batch([here, there], 1) == ([here], [there])
