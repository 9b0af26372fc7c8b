"""What the worker stores."""

from __future__ import annotations

import msgspec
import pytest

from tests.trigger_worker.stored import NOON, fire, queued
from trigger_worker.store.decisions import DecisionRecord
from trigger_worker.store.feed import read_cursor
from trigger_worker.store.message import MessageRecord, message_id
from trigger_worker.store.message_event import message_event, occurrence
from trigger_worker.store.queue import queue_record
from trigger_worker.store.records import Records
from warehouse.connection import Warehouse
from warehouse.event import LASTING_DAYS


class KeepingInserts:
    """Keeps rows instead of storing them."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def insert_lines(self, _table: str, lines: bytes, _token: str) -> None:
        """Keep the rows of one insert."""
        self.lines += lines.decode().split("\n")


def counted(warehouse: Warehouse, table: str) -> int:
    ((found,),) = warehouse.query(f"SELECT count() FROM {table}")
    return int(found)


def test_the_same_rows_written_again_are_stored_once(warehouse: Warehouse) -> None:
    records = Records(warehouse)
    message = queued()
    for _ in range(2):
        records.store_fires([fire()], NOON)
        records.store_decisions([DecisionRecord(message, "send", "passed", {}, NOON)])
        records.store_messages([MessageRecord(message, "sent", NOON)])
    assert [counted(warehouse, table) for table in ("fires", "decisions", "messages")] == [1, 1, 1]


def test_rows_are_these_bytes_so_that_a_repeat_by_another_release_is_recognised() -> None:
    inserts = KeepingInserts()
    records = Records(inserts)
    records.store_decisions([DecisionRecord(queued(), "drop", "cap", {"max": 1}, NOON, arm="plain")])
    records.store_messages(
        [
            queue_record(queued()),
            MessageRecord(queued(), "sent", NOON, ("phone",), '{"title":"Hi"}', {"attempts": 1}),
        ]
    )
    common = (
        '"rule":"lingers","version":"v1","visitor_id":"anna","channel":"banner","template":"hello","tags":["discount"],'
        '"class":"marketing"'
    )
    times = '"at":"2026-11-22 11:00:00.000","due_at":"2026-11-22 11:00:00.000","expires_at":"2026-11-23 11:00:00.000"'
    assert inserts.lines == [
        (
            '{"message_id":"message-1","fire_id":"fire-1","site":"shop","rule":"lingers","visitor_id":"anna",'
            '"channel":"banner","template":"hello","arm":"plain","verdict":"drop","reason":"cap",'
            '"detail":"{\\"max\\":1}","decided_at":"2026-11-22 11:00:00.000"}'
        ),
        (
            f'{{"message_id":"message-1","fire_id":"fire-1","site":"shop",{common},"state":"pending",{times},"recipients":[],'
            '"content":"","detail":"{\\"position\\":0,\\"priority\\":50,\\"fired_at\\":1795345200000,\\"attempts\\":0,'
            '\\"event\\":{\\"event\\":\\"hover\\",\\"name\\":\\"Tent\\"},\\"is_tried\\":false}","retries":0}'
        ),
        (
            f'{{"message_id":"message-1","fire_id":"fire-1","site":"shop",{common},"state":"sent",{times},'
            '"recipients":["phone"],"content":"{\\"title\\":\\"Hi\\"}","detail":"{\\"attempts\\":1}","retries":0}'
        ),
    ]


def test_a_firing_that_is_found_again_later_is_one_firing(warehouse: Warehouse) -> None:
    records = Records(warehouse)
    records.store_fires([fire()], NOON)
    records.store_fires([fire()], NOON + 1)
    assert counted(warehouse, "fires FINAL") == 1


def test_nothing_is_stored_for_nothing(warehouse: Warehouse) -> None:
    records = Records(warehouse)
    records.store_fires([], NOON)
    records.store_messages([])
    assert counted(warehouse, "fires") == 0


def test_a_firing_is_stored_with_the_event_that_completed_it(warehouse: Warehouse) -> None:
    Records(warehouse).store_fires([fire(key="p1", event={"name": "T'\"ü\n"})], NOON + 5)
    ((row),) = warehouse.query(
        "SELECT rule, version, visitor_id, key, toUnixTimestamp64Milli(at), toUnixTimestamp64Milli(fired_at), event"
        " FROM fires"
    )
    assert row[:-1] == ("lingers", "v1", "anna", "p1", NOON, NOON + 5)
    assert msgspec.json.decode(row[-1]) == {"name": "T'\"ü\n"}


def test_a_verdict_is_stored_with_the_values_that_decided(warehouse: Warehouse) -> None:
    decision = DecisionRecord(queued(), "drop", "cap", {"max": 1}, NOON, arm="plain")
    Records(warehouse).store_decisions([decision])
    assert warehouse.query("SELECT message_id, verdict, reason, arm, detail FROM decisions") == [
        ("message-1", "drop", "cap", "plain", '{"max":1}')
    ]


def test_a_state_is_stored_with_what_a_page_needs(warehouse: Warehouse) -> None:
    record = MessageRecord(queued(), "sent", NOON, ("phone", "laptop"), '{"title":"Hi"}', {"attempts": 1})
    Records(warehouse).store_messages([record])
    assert warehouse.query("SELECT state, tags, recipients, content, detail FROM messages") == [
        ("sent", ["discount"], ["phone", "laptop"], '{"title":"Hi"}', '{"attempts":1}')
    ]


def test_the_cursor_is_the_latest_of_its_worker(warehouse: Warehouse) -> None:
    assert read_cursor(warehouse, "rules") is None
    for read_to in (NOON, NOON + 5, NOON + 3):
        Records(warehouse).store_cursor("rules", 0, read_to)
    Records(warehouse).store_cursor("another", 0, NOON + 99)
    assert read_cursor(warehouse, "rules") == NOON + 5


@pytest.mark.parametrize(("fire_id", "position"), [("fire-1", 1), ("fire-2", 0)])
def test_the_id_of_a_message_follows_from_its_firing_and_place(fire_id: str, position: int) -> None:
    assert message_id("fire-1", 0) == message_id("fire-1", 0)
    assert message_id(fire_id, position) != message_id("fire-1", 0)


def test_events_of_ours_are_kept_as_long_as_others_of_their_site(embedded_warehouse: Warehouse) -> None:
    made = [
        message_event(occurrence(MessageRecord(queued(site, site=site), "sent", NOON))) for site in ("brief", "unsaid")
    ]
    rows = [row for row in made if row is not None]
    lasting = msgspec.structs.replace(rows[0], event="push_unsubscribed", event_id="lasting")
    Records(embedded_warehouse, {"brief": 30}).store_events([*rows, lasting])
    found = embedded_warehouse.query("SELECT event, site, retention_days FROM events ORDER BY event, site")
    assert list(found) == [
        ("message_sent", "brief", 30),
        ("message_sent", "unsaid", 400),
        ("push_unsubscribed", "brief", LASTING_DAYS),
    ]
