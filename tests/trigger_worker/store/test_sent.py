"""Messages that people were sent, and what became of those of a firing."""

from __future__ import annotations

import pytest

from tests.trigger_worker.stored import NOON, person, queued
from trigger_worker.store.message import MessageRecord, MessageState, QueuedMessage
from trigger_worker.store.records import Records
from trigger_worker.store.sent import read_fire_facts, read_sent
from warehouse.connection import Warehouse

ANNA = person("u1", "phone")


def reached(warehouse: Warehouse, message: QueuedMessage, *states: MessageState, at: int = NOON) -> None:
    """Store states of a message, one a second."""
    records = [MessageRecord(message, state, at + second * 1000) for second, state in enumerate(states)]
    Records(warehouse).store_messages(records)


def test_what_was_sent_is_told_oldest_first_with_what_came_of_it(warehouse: Warehouse) -> None:
    reached(warehouse, queued("b", visitor_id="u1", channel="email"), "pending", "sent", at=NOON + 60_000)
    reached(warehouse, queued("a", visitor_id="phone"), "pending", "sent", "shown", "clicked")
    reached(warehouse, queued("waits", visitor_id="u1"), "pending")
    reached(warehouse, queued("failed", visitor_id="u1"), "pending", "failed")
    reached(warehouse, queued("elsewhere", visitor_id="u1", site="other"), "sent")
    reached(warehouse, queued("bobs", visitor_id="bob"), "sent")
    first, second = read_sent(warehouse, [ANNA], NOON)[ANNA]
    assert (first.channel, first.rule, first.at_ms, first.shown, first.clicked) == (
        "banner",
        "lingers",
        NOON + 1000,
        True,
        True,
    )
    assert (first.tags, first.message_class) == (frozenset({"discount"}), "marketing")
    assert (second.channel, second.at_ms, second.shown, second.clicked) == ("email", NOON + 61_000, False, False)


def test_what_was_sent_earlier_or_is_passed_over_is_not_told(warehouse: Warehouse) -> None:
    for name, at in (("early", NOON), ("late", NOON + 1), ("passed_over", NOON + 1)):
        reached(warehouse, queued(name, visitor_id="u1"), "sent", "shown", at=at)
    found = read_sent(warehouse, [ANNA, person("bob")], NOON, but_not={"passed_over"})
    assert [message.at_ms for message in found[ANNA]] == [NOON + 1]
    assert found[person("bob")] == []


def test_more_people_than_fit_into_one_question_are_asked_about(embedded_warehouse: Warehouse) -> None:
    crowd = [person(f"{number:03d}{'x' * 300}") for number in range(300)]
    reached(embedded_warehouse, queued("m1", visitor_id=crowd[-1].visitor_id), "sent")
    found = read_sent(embedded_warehouse, crowd, NOON - 1)
    assert [len(found[one]) for one in crowd] == [0] * 299 + [1]


def test_what_became_of_a_firing_is_told_by_channel(warehouse: Warehouse) -> None:
    reached(warehouse, queued("a", visitor_id="phone", fire_id="f1", channel="email"), "sent", "opened")
    reached(warehouse, queued("b", visitor_id="u1", fire_id="f1"), "pending")
    reached(warehouse, queued("c", visitor_id="u1", fire_id="f2"), "sent", "clicked")
    reached(warehouse, queued("d", visitor_id="bob", fire_id="f1"), "dismissed")
    facts = read_fire_facts(warehouse, [ANNA], ["f1"])
    expected = ("sent(email)", "opened(email)", "delivered(email)", "pending(banner)")
    assert facts == {"f1": dict.fromkeys(expected, True)}


@pytest.mark.parametrize(
    ("channel", "state", "proven"),
    [
        ("email", "sent", {"sent"}),
        ("email", "clicked", {"clicked", "opened", "shown", "delivered"}),
        ("banner", "dismissed", {"dismissed", "shown", "delivered"}),
        ("sms", "delivered", {"delivered"}),
        ("webhook", "sent", {"sent", "delivered"}),
        ("chat", "sent", {"sent", "delivered"}),
    ],
)
def test_what_proves_more_proves_less(
    embedded_warehouse: Warehouse, channel: str, state: MessageState, proven: set[str]
) -> None:
    reached(embedded_warehouse, queued("a", visitor_id="u1", channel=channel), state)
    facts = read_fire_facts(embedded_warehouse, [ANNA], ["fire-1"])["fire-1"]
    assert facts == {f"{name}({channel})": True for name in proven}
