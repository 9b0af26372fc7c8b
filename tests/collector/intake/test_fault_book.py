"""Drops and warnings are counted by site and code, and reach the table `faults` without being written one by one."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec

from collector.admission.visitors import VisitorPace
from collector.ingest import Ingest
from collector.intake.draft import Drop, DropReason, EventWarning, WarningReason
from collector.intake.examples import Sighting
from collector.intake.fault_book import PAUSE_MS, FaultBook
from collector.parts import CollectorParts
from tests.collector.away import AWAY
from tests.collector.collector_parts import client_of, running_parts
from tests.collector.journals import FailingJournal
from tests.collector.messages import NOON, message
from warehouse.connection import Warehouse
from warehouse.event import format_time
from warehouse.faults import Fault, FaultExample, FaultRow, read_faults
from warehouse.journal.group_commit import JournalThread
from warehouse.journal.log import Journal
from warehouse.journal.mover import Mover
from warehouse.journal.tables import FAULTS, JournalTable

#: ClickHouse keeps what is of today.
NOW = time.time_ns() // 1_000_000
NAMELESS = Drop("m", DropReason.NO_NAME)
UNPROVEN = EventWarning("m", WarningReason.IDENTITY_UNPROVEN, "sign it")


class Clock:
    now_ms = NOON

    def __call__(self) -> int:
        return self.now_ms


def written(journal: JournalThread) -> list[tuple[str, str, str, int, str]]:
    batch = journal.take(FAULTS, 1000).result(10)
    rows = [msgspec.json.decode(line, type=FaultRow) for line in batch.lines] if batch else []
    if batch:
        journal.finish(batch).result(10)
    return [(row.site, row.kind, row.code, row.events, row.event) for row in rows]


async def test_the_first_is_written_at_once_and_those_that_follow_together(tmp_path: Path) -> None:
    clock = Clock()
    with JournalThread(Journal(tmp_path / "journal")) as journal:
        book = FaultBook(journal, clock)
        book.note("shop", [NAMELESS], [], {("drop", "no_name"): Sighting("", "first")})
        await book.hand_over()
        assert written(journal) == [("shop", "drop", "no_name", 1, "first")]
        for number in range(5):
            book.note("shop", [NAMELESS] * 2, [UNPROVEN], {("drop", "no_name"): Sighting("", f"event {number}")})
            await book.hand_over()
        # The code is in both sets, and counted for each.
        book.note("shop", [Drop("m", DropReason.IDENTITY_UNPROVEN)], [], {})
        await book.hand_over()
        assert written(journal) == [
            ("shop", "warning", "identity_unproven", 1, ""),
            ("shop", "drop", "identity_unproven", 1, ""),
        ]
        clock.now_ms += PAUSE_MS
        await book.hand_over()
        assert written(journal) == [
            ("shop", "drop", "no_name", 10, "event 2"),
            ("shop", "drop", "no_name", 0, "event 1"),
            ("shop", "drop", "no_name", 0, "event 0"),
            ("shop", "warning", "identity_unproven", 4, ""),
        ]
        clock.now_ms += PAUSE_MS
        await book.hand_over()
        assert written(journal) == []


async def test_what_waits_is_written_at_the_end(tmp_path: Path) -> None:
    with JournalThread(Journal(tmp_path / "journal")) as journal:
        book = FaultBook(journal, lambda: NOON)
        for _ in range(3):
            book.note("shop", [NAMELESS], [], {})
            await book.hand_over()
        await book.hand_over(at_once=True)
        assert sum(events for *_, events, _ in written(journal)) == 3


async def test_what_the_disk_does_not_take_goes_on_waiting(tmp_path: Path) -> None:
    broken = FailingJournal(tmp_path / "journal")
    with JournalThread(broken) as journal:
        book = FaultBook(journal, lambda: NOON)
        broken.fails = True
        book.note("shop", [NAMELESS], [], {})
        await book.hand_over()
        broken.fails = False
        await book.hand_over()
        assert written(journal) == [("shop", "drop", "no_name", 1, "")]


async def _moved(journal: JournalThread, warehouse: Warehouse) -> None:
    async def announce(_: JournalTable) -> None:
        return

    with Mover(journal, warehouse, announce) as mover:
        await mover.drain()


async def test_collectors_are_counted_together_through_a_restart(tmp_path: Path, warehouse: Warehouse) -> None:
    for number in range(2):
        with JournalThread(Journal(tmp_path / f"journal{number}")) as journal:
            book = FaultBook(journal, lambda: NOW)
            book.note(
                "shop",
                [NAMELESS] * 2,
                [],
                {
                    ("drop", "no_name"): Sighting(
                        "give event", "quiz_done", {"library": {"name": "sdk", "version": "1"}}
                    )
                },
            )
            await book.hand_over()
    for number in range(2):
        with JournalThread(Journal(tmp_path / f"journal{number}")) as journal:
            await _moved(journal, warehouse)
    (fault,) = read_faults(warehouse, NOW)
    assert (fault.kind, fault.code, fault.events, fault.remedy) == (
        "drop",
        "no_name",
        4,
        "give a track call an event of 1 to 100 printable characters",
    )
    assert fault.examples == [FaultExample(format_time(NOW), "quiz_done", "sdk 1", "give event")]


def counting(parts: CollectorParts, events_per_minute: int = 0) -> tuple[CollectorParts, FaultBook]:
    """Return the parts of a collector that keeps a book, and the book."""
    book = FaultBook(parts.journal, lambda: NOW)
    ingest = Ingest(parts.journal, parts.metrics, parts.desk.hear, VisitorPace(events_per_minute), faults=book)
    bounds = msgspec.structs.replace(parts.bounds, event_max_age_ms=1_000_000)
    return msgspec.structs.replace(parts, ingest=ingest, bounds=bounds), book


def told(faults: list[Fault]) -> dict[tuple[str, str], tuple[int, list[str]]]:
    return {(each.kind, each.code): (each.events, [shown.event for shown in each.examples]) for each in faults}


async def test_whatever_a_request_loses_is_in_the_book(tmp_path: Path, warehouse: Warehouse) -> None:
    sent: list[Any] = [
        message(messageId="good"),
        message(messageId="good"),
        message(messageId="nameless", event=""),
        message(messageId="old", timestamp="2001-01-01T00:00:00Z"),
        *(message(messageId=f"fast {number}", event="hover") for number in range(5)),
        7,
    ]
    async with running_parts(tmp_path, warehouse) as plain:
        parts, book = counting(plain, events_per_minute=4)
        async with client_of(parts) as client:
            body = {"writeKey": "shop-key", "batch": sent, "context": {"library": {"name": "sdk", "version": "1"}}}
            reply = (await client.post("/v1/batch", json=body)).json()
        await book.hand_over()
        await _moved(parts.journal, warehouse)
    found = read_faults(warehouse, NOW)
    assert told(found) == {
        ("drop", "duplicate"): (1, ["view_item"]),
        ("drop", "no_name"): (1, [""]),
        ("drop", "malformed"): (1, [""]),
        ("drop", "too_fast"): (4, ["hover"]),
        ("warning", "too_old"): (1, ["view_item"]),
    }
    assert {example.sender for fault in found for example in fault.examples} == {"sdk 1"}
    assert sum(each.events for each in found) == len(reply["dropped"]) + len(reply["warnings"])


async def test_of_a_sound_batch_nothing_is_noted(tmp_path: Path) -> None:
    async with running_parts(tmp_path, AWAY) as plain:
        parts, book = counting(plain)
        async with client_of(parts) as client:
            await client.post("/v1/batch", json={"writeKey": "shop-key", "batch": [message()]})
        await book.hand_over(at_once=True)
        assert written(parts.journal) == []
