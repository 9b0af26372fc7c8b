"""What the worker must know to decide on messages."""

from __future__ import annotations

from tests.trigger_worker.stored import NOON, person, queued
from trigger_worker.reading.outgoing import queue_record, read_fire_facts, read_queue, read_sent
from trigger_worker.records import MessageRecord, MessageState, QueuedMessage, Records
from warehouse.connection import Warehouse

ANNA = person("u1", "phone")


def reached(warehouse: Warehouse, message: QueuedMessage, *states: MessageState, at: int = NOON) -> None:
    """Store states of a message, one a second."""
    records = [MessageRecord(message, state, at + second * 1000) for second, state in enumerate(states)]
    Records(warehouse).store_messages(records)


def test_a_message_that_waits_comes_back_whole(warehouse: Warehouse) -> None:
    message = queued(attempts=3, event={"name": "Tent 'ü' \\", "items": [{"price": 1.5}], "none": None})
    Records(warehouse).store_messages([queue_record(message, NOON)])
    assert read_queue(warehouse) == [message]


def test_a_message_that_was_put_off_comes_back_with_its_latest_time_and_attempts(warehouse: Warehouse) -> None:
    records = Records(warehouse)
    records.store_messages([queue_record(queued(), NOON)])
    later = queued(due_at=NOON + 5000, attempts=1)
    records.store_messages([queue_record(later, NOON + 1)])
    assert read_queue(warehouse) == [later]


def test_a_message_that_is_settled_does_not_come_back(warehouse: Warehouse) -> None:
    for state in ("sent", "failed", "cancelled"):
        message = queued(f"message-{state}")
        Records(warehouse).store_messages([queue_record(message, NOON), MessageRecord(message, state, NOON)])
    waiting = queued("waiting", site="other")
    Records(warehouse).store_messages([queue_record(waiting, NOON)])
    assert read_queue(warehouse) == [waiting]


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
        reached(warehouse, queued(name, visitor_id="u1"), "sent", at=at)
    found = read_sent(warehouse, [ANNA, person("bob")], NOON, but_not={"passed_over"})
    assert [message.at_ms for message in found[ANNA]] == [NOON + 1]
    assert found[person("bob")] == []


def test_what_became_of_a_firing_is_told_by_channel(warehouse: Warehouse) -> None:
    reached(warehouse, queued("a", visitor_id="phone", fire_id="f1", channel="email"), "sent", "opened")
    reached(warehouse, queued("b", visitor_id="u1", fire_id="f1"), "pending")
    reached(warehouse, queued("c", visitor_id="u1", fire_id="f2"), "sent", "clicked")
    reached(warehouse, queued("d", visitor_id="bob", fire_id="f1"), "dismissed")
    facts = read_fire_facts(warehouse, [ANNA], ["f1"])
    assert facts == {"f1": {"sent(email)": True, "opened(email)": True, "pending(banner)": True}}
