"""The queue, read back from its rows."""

from __future__ import annotations

import msgspec

from tests.trigger_worker.stored import NOON, queued, visitor
from trigger_worker.store.message import MessageRecord
from trigger_worker.store.queue import queue_record, read_failed, read_queue, read_queue_of
from trigger_worker.store.records import Records
from warehouse.connection import Warehouse


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
    found = read_queue_of(warehouse, [visitor("anna"), visitor("bob")])
    assert sorted(message.message_id for message in found) == ["a", "b"]


def test_failed_messages_are_found_by_rule_or_by_id(warehouse: Warehouse) -> None:
    for name, rule in (("a", "lingers"), ("b", "other"), ("c", "lingers")):
        message = queued(name, rule=rule, attempts=2, event={"name": "Tent"})
        Records(warehouse).store_messages([queue_record(message)])
        Records(warehouse).store_messages([MessageRecord(message, "failed", NOON + 1, detail={"error": "no"})])
    assert sorted(message.message_id for message in read_failed(warehouse, rule="lingers")) == ["a", "c"]
    (found,) = read_failed(warehouse, ["b"])
    assert (found.rule, found.attempts, found.event, found.recorded_at) == ("other", 2, {"name": "Tent"}, NOON + 1)
