"""What is stored about messages, whatever ClickHouse says to it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from prometheus_client import CollectorRegistry

from tests.trigger_worker.stored import NOON, queued
from trigger_worker.delivery.ledger import Ledger
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.store.decisions import DecisionRecord
from trigger_worker.store.message import MessageRecord
from trigger_worker.store.records import Records
from warehouse.errors import WarehouseError, WarehouseUnavailable
from warehouse.event import EventRow


class Table(Records):
    """Remembers what it was given, or raises first what it is told to."""

    def __init__(self, *poisoned: str) -> None:
        self.poisoned = poisoned
        self.troubles = 0
        self.messages: list[str] = []
        self.events: list[str] = []
        self.writes = 0

    def store_messages(self, records: Sequence[MessageRecord]) -> None:
        self.writes += 1
        self._take([record.message.message_id for record in records], self.messages)

    def store_decisions(self, decisions: Sequence[DecisionRecord]) -> None:
        self._take([decision.message.message_id for decision in decisions], [])

    def store_events(self, rows: Sequence[EventRow]) -> None:
        self._take([row.message_id for row in rows], self.events)

    def _take(self, ids: list[str], into: list[str]) -> None:
        if self.troubles:
            self.troubles -= 1
            raise WarehouseUnavailable("away for a moment")
        if set(ids) & set(self.poisoned):
            raise WarehouseError("cannot be parsed")
        into += ids


def ledger(table: Table) -> tuple[Ledger, WorkerMetrics]:
    metrics = WorkerMetrics(CollectorRegistry())
    return Ledger(table, metrics), metrics


def sent(*names: str) -> list[MessageRecord]:
    return [MessageRecord(queued(name), "sent", NOON) for name in names]


def refused(metrics: WorkerMetrics) -> float | None:
    return metrics.registry.get_sample_value("micromoment_records_refused_total")


async def events_stored(kept: Ledger) -> None:
    while tasks := kept.open_tasks():
        for task in tasks:
            await task


async def test_rows_are_stored_and_told_of() -> None:
    table = Table()
    kept, _ = ledger(table)
    assert await kept.store_messages(sent("a", "b")) == []
    await events_stored(kept)
    assert (table.messages, table.events) == (["a", "b"], ["a", "b"])


async def test_while_clickhouse_is_away_rows_wait_for_it() -> None:
    table = Table()
    table.troubles = 2
    kept, metrics = ledger(table)
    assert await kept.store_message(sent("a")[0]) is True
    await events_stored(kept)
    assert table.messages == ["a"]
    assert refused(metrics) == 0


@pytest.mark.parametrize("poisoned", [("c",), ("a", "h"), ("b", "c", "d")])
async def test_what_is_refused_for_good_is_found_among_the_others_counted_and_not_told_of(
    poisoned: tuple[str, ...],
) -> None:
    table = Table(*poisoned)
    kept, metrics = ledger(table)
    lost = await kept.store_messages(sent(*"abcdefgh"))
    await events_stored(kept)
    assert tuple(record.message.message_id for record in lost) == poisoned
    assert sorted(table.messages) == sorted(table.events) == sorted(set("abcdefgh") - set(poisoned))
    assert refused(metrics) == len(poisoned)


async def test_one_that_is_refused_is_told_so_to_whoever_waits_for_it() -> None:
    kept, _ = ledger(Table("bad"))
    assert await kept.store_message(sent("bad")[0]) is False
    assert await kept.store_message(sent("good")[0]) is True


async def test_verdicts_that_are_refused_are_told() -> None:
    kept, metrics = ledger(Table("bad"))
    decisions = [DecisionRecord(queued(name), "send", "passed", {}, NOON) for name in ("good", "bad")]
    assert await kept.store_decisions(decisions) == decisions[1:]
    assert refused(metrics) == 1
