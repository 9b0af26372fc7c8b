"""What the worker must know to decide on messages."""

from __future__ import annotations

import msgspec
import pytest

from tests.trigger_worker.stored import NOON, fire, person, queued
from trigger_worker.store.message_event import message_event
from trigger_worker.store.messages import (
    queue_record,
    read_failed,
    read_fire_facts,
    read_queue,
    read_queue_of,
    read_restarted,
    read_sent,
    read_untold,
)
from trigger_worker.store.records import MessageRecord, MessageState, QueuedMessage, Records
from warehouse.connection import Warehouse

ANNA = person("u1", "phone")


def reached(warehouse: Warehouse, message: QueuedMessage, *states: MessageState, at: int = NOON) -> None:
    """Store states of a message, one a second."""
    records = [MessageRecord(message, state, at + second * 1000) for second, state in enumerate(states)]
    Records(warehouse).store_messages(records)


def test_a_message_that_waits_comes_back_whole(warehouse: Warehouse) -> None:
    message = queued(attempts=3, event={"name": "Tent 'ü' \\", "items": [{"price": 1.5}], "none": None})
    Records(warehouse).store_messages([queue_record(message)])
    assert read_queue(warehouse) == [message]


def test_a_message_that_was_put_off_comes_back_with_its_latest_time_and_attempts(warehouse: Warehouse) -> None:
    records = Records(warehouse)
    records.store_messages([queue_record(queued())])
    later = queued(due_at=NOON + 5000, attempts=1, recorded_at=NOON + 1)
    records.store_messages([queue_record(later)])
    assert read_queue(warehouse) == [later]


def test_a_message_that_is_settled_does_not_come_back(warehouse: Warehouse) -> None:
    for state in ("sent", "failed", "cancelled"):
        message = queued(f"message-{state}")
        Records(warehouse).store_messages([queue_record(message), MessageRecord(message, state, NOON)])
    waiting = queued("waiting", site="other")
    Records(warehouse).store_messages([queue_record(waiting)])
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


def test_a_message_that_is_asked_for_again_waits_again_and_comes_to_an_end_again(warehouse: Warehouse) -> None:
    message = queued()
    Records(warehouse).store_messages([queue_record(message), MessageRecord(message, "failed", NOON + 1)])
    assert read_queue(warehouse) == []
    (failed,) = read_failed(warehouse, ["message-1", "unknown"])
    again = msgspec.structs.replace(failed, retries=1, recorded_at=NOON + 2)
    Records(warehouse).store_messages([queue_record(again)])
    assert [found.retries for found in read_queue(warehouse)] == [1]
    assert read_failed(warehouse) == []
    Records(warehouse).store_messages([MessageRecord(again, "sent", NOON + 3)])
    assert read_queue(warehouse) == []


def test_the_queue_of_some_visitors_is_theirs_alone(warehouse: Warehouse) -> None:
    mine = [queued("a"), queued("b", visitor_id="bob")]
    others = [queued("c", visitor_id="carl"), queued("d", site="other")]
    Records(warehouse).store_messages(list(map(queue_record, mine + others)))
    found = read_queue_of(warehouse, "shop", ["anna", "bob"])
    assert sorted(message.message_id for message in found) == ["a", "b"]


def test_failed_messages_are_found_by_rule_or_by_id(warehouse: Warehouse) -> None:
    for name, rule in (("a", "lingers"), ("b", "other"), ("c", "lingers")):
        message = queued(name, rule=rule, attempts=2, event={"name": "Tent"})
        Records(warehouse).store_messages([queue_record(message)])
        Records(warehouse).store_messages([MessageRecord(message, "failed", NOON + 1, detail={"error": "no"})])
    assert sorted(message.message_id for message in read_failed(warehouse, rule="lingers")) == ["a", "c"]
    (found,) = read_failed(warehouse, ["b"])
    assert (found.rule, found.attempts, found.event, found.recorded_at) == ("other", 2, {"name": "Tent"}, NOON + 1)


def test_what_was_stored_without_its_event_is_found(warehouse: Warehouse) -> None:
    records = Records(warehouse)
    for name in ("told", "untold"):
        records.store_messages([MessageRecord(queued(name), "sent", NOON, detail={"attempts": 1, "variant": "a"})])
    records.store_messages([MessageRecord(queued("long_ago"), "sent", NOON - 2, detail={"attempts": 1})])
    records.store_messages([MessageRecord(queued("waits"), "pending", NOON, detail={"attempts": 0})])
    records.store_messages([MessageRecord(queued("undelivered"), "failed", NOON, detail={"reason": "failed 30003"})])
    told, untold = sorted(read_untold(warehouse, NOON - 1), key=lambda happened: happened.message_id)
    event = message_event(told)
    assert event is not None
    records.store_events([event])
    assert read_untold(warehouse, NOON - 1) == [untold]
    assert (untold.message_id, untold.state, untold.at, untold.detail["variant"]) == ("untold", "sent", NOON, "a")


def test_a_newer_firing_of_the_same_person_and_key_restarts_the_older_ones(warehouse: Warehouse) -> None:
    fires = [
        fire("first", visitor_id="phone", at=NOON),
        fire("second", visitor_id="u1", at=NOON + 1),
        fire("other_key", visitor_id="u1", key="k", at=NOON + 2),
        fire("other_rule", visitor_id="u1", rule="other", at=NOON + 3),
        fire("other_person", visitor_id="bob", at=NOON + 4),
        fire("other_site", visitor_id="u1", site="other", at=NOON + 5),
    ]
    Records(warehouse).store_fires(fires, NOON + 10)
    ids = [one.fire_id for one in fires]
    assert read_restarted(warehouse, [ANNA, person("bob")], ids) == {"first": "second"}
    assert read_restarted(warehouse, [ANNA], ["second"]) == {}
