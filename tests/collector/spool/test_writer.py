from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
import stamina
from prometheus_client import CollectorRegistry

from collector.metrics import CollectorMetrics
from collector.spool.file import Spool, SpooledBatch, SpooledEvent
from collector.spool.group_commit import GroupCommit
from collector.spool.writer import MAX_REFUSED_ROWS, Writer, insert_rows
from tests.collector.messages import NOON
from tests.collector.spools import spooled
from tests.waiting import until
from warehouse.connection import Warehouse
from warehouse.errors import RowsRefused, WarehouseError, WarehouseUnavailable

WAIT_SECONDS = 20
GOOD = [spooled(f"good-{number}").line for number in range(9)]
#: Rows that no version of the table takes, by what is wrong with them.
BAD = {
    "not JSON": b'{"event_id": ',
    "a time that is none": spooled("bad").line.replace(b"2026-11-22 12:00:00.000", b"yesterday"),
    "text for a number": spooled("bad").line.replace(b'"type"', b'"price":"dear","type"'),
    "a field without a column": spooled("bad").line.replace(b'"type"', b'"colour":"red","type"'),
}


class FakeWarehouse:
    """Remembers what was inserted; an insert fails, before or after it is done, as often as it is told to."""

    def __init__(self, failures: Sequence[Exception] = (), *, loses_answers: bool = False) -> None:
        self.inserted: dict[str, bytes] = {}
        self.attempts: list[tuple[str, bytes]] = []
        self._failures = list(failures)
        self._loses_answers = loses_answers

    def insert_lines(self, table: str, lines: bytes, token: str) -> None:
        assert table == "events"
        self.attempts.append((token, lines))
        if self._failures and not self._loses_answers:
            raise self._failures.pop(0)
        assert self.inserted.setdefault(token, lines) == lines
        if self._failures:
            raise self._failures.pop(0)


class LosingWarehouse:
    """A real warehouse whose first answers are lost on the way back."""

    def __init__(self, real: Warehouse, losses: int) -> None:
        self._real = real
        self._losses = losses

    def insert_lines(self, table: str, lines: bytes, token: str) -> None:
        self._real.insert_lines(table, lines, token)
        if self._losses:
            self._losses -= 1
            raise WarehouseUnavailable("the connection was reset")


@pytest.fixture(autouse=True)
def without_waiting() -> Iterator[None]:
    stamina.set_testing(True, attempts=100)
    yield
    stamina.set_testing(False)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[GroupCommit]:
    with GroupCommit(Spool(tmp_path / "spool.sqlite")) as spool:
        yield spool


def append(spool: GroupCommit, *names: str) -> None:
    spool.append([spooled(name) for name in names], NOON).result(WAIT_SECONDS)


@asynccontextmanager
async def moving(spool: GroupCommit, warehouse: object) -> AsyncIterator[tuple[Writer, CollectorMetrics, list[int]]]:
    """Run a writer; the list grows by one with each announcement of news."""
    metrics, news = CollectorMetrics(CollectorRegistry()), list[int]()

    async def announce() -> None:
        news.append(spool.depth)

    writer = Writer(spool, cast(Warehouse, warehouse), announce, metrics)
    task = asyncio.create_task(writer.run())
    try:
        yield writer, metrics, news
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def stored(warehouse: Warehouse) -> list[str]:
    return [event_id for (event_id,) in warehouse.query("SELECT event_id FROM events ORDER BY event_id")]


async def until_empty(spool: GroupCommit) -> None:
    await until(lambda: not spool.depth)


async def test_what_waits_is_inserted_and_announced(spool: GroupCommit) -> None:
    warehouse = FakeWarehouse()
    append(spool, "a", "b")
    async with moving(spool, warehouse) as (writer, metrics, news):
        await until_empty(spool)
        append(spool, "c")
        writer.wake()
        await until_empty(spool)
        await until(lambda: len(news) == 2)
    assert b"\n".join(warehouse.inserted.values()).split(b"\n") == [spooled(name).line for name in "abc"]
    assert metrics.registry.get_sample_value("micromoment_rows_inserted_total") == 3


async def test_nothing_is_inserted_when_nothing_waits(spool: GroupCommit, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse, looks, take = FakeWarehouse(), list[int](), spool.take

    def counted(limit: int) -> Future[SpooledBatch | None]:
        looks.append(limit)
        return take(limit)

    monkeypatch.setattr(spool, "take", counted)
    async with moving(spool, warehouse) as (writer, _, news):
        await until(lambda: len(looks) == 1)
        writer.wake()
        await until(lambda: len(looks) == 2)
    assert (warehouse.attempts, news) == ([], [])


@pytest.mark.parametrize("kind", [WarehouseUnavailable, WarehouseError])
async def test_a_batch_is_tried_until_the_warehouse_takes_it(spool: GroupCommit, kind: type[WarehouseError]) -> None:
    warehouse = FakeWarehouse([kind("away")] * 7)
    append(spool, "a", "b")
    async with moving(spool, warehouse) as (_, metrics, _):
        await until_empty(spool)
    assert len(warehouse.attempts) == 8
    assert len(set(warehouse.attempts)) == 1, "each attempt has the same rows under the same token"
    assert metrics.registry.get_sample_value("micromoment_insert_failures_total") == 7


async def test_events_that_arrive_meanwhile_go_into_a_batch_of_their_own(spool: GroupCommit) -> None:
    warehouse = FakeWarehouse([WarehouseUnavailable("away")] * 3, loses_answers=True)
    append(spool, "a")
    begun = spool.take(1).result(WAIT_SECONDS)
    append(spool, "b")
    async with moving(spool, warehouse):
        await until_empty(spool)
    assert begun is not None
    assert list(warehouse.inserted.values()) == [spooled("a").line, spooled("b").line]
    assert warehouse.attempts[0] == (begun.token, spooled("a").line)


async def test_an_error_that_is_no_warehouses_ends_the_writer_loudly(spool: GroupCommit) -> None:
    append(spool, "a")
    writer = Writer(
        spool, cast(Warehouse, FakeWarehouse([KeyError("bug")])), _nothing, CollectorMetrics(CollectorRegistry())
    )
    with pytest.raises(KeyError):
        async with asyncio.timeout(WAIT_SECONDS):
            await writer.run()
    assert spool.depth == 1


async def test_draining_moves_everything(spool: GroupCommit) -> None:
    warehouse = FakeWarehouse()
    append(spool, *(f"e{number}" for number in range(5_001)))
    await Writer(spool, cast(Warehouse, warehouse), _nothing, CollectorMetrics(CollectorRegistry())).drain()
    assert spool.depth == 0
    assert [lines.count(b"\n") + 1 for lines in warehouse.inserted.values()] == [5_000, 1]


async def test_draining_gives_up_at_the_first_failure_and_loses_nothing(spool: GroupCommit) -> None:
    warehouse = FakeWarehouse([WarehouseUnavailable("away")])
    append(spool, "a")
    writer = Writer(spool, cast(Warehouse, warehouse), _nothing, CollectorMetrics(CollectorRegistry()))
    with pytest.raises(WarehouseUnavailable):
        await writer.drain()
    assert spool.depth == 1
    await writer.drain()
    assert len(set(warehouse.attempts)) == 1


async def test_a_row_that_cannot_be_stored_is_set_aside_and_counted(spool: GroupCommit, warehouse: Warehouse) -> None:
    append(spool, "a")
    spool.append([SpooledEvent("shop", "bad", b"{")], NOON).result(WAIT_SECONDS)
    append(spool, "b")
    async with moving(spool, warehouse) as (_, metrics, _):
        await until_empty(spool)
        await until(lambda: metrics.registry.get_sample_value("micromoment_rows_inserted_total") == 2)
    assert metrics.registry.get_sample_value("micromoment_rows_set_aside_total") == 1
    assert list(warehouse.query("SELECT event_id FROM events ORDER BY event_id")) == [("a",), ("b",)]


async def test_lost_answers_store_nothing_twice(spool: GroupCommit, warehouse: Warehouse) -> None:
    for table in ("events", "event_feed"):
        warehouse.command(f"SYSTEM STOP MERGES {table}")
    names = [f"e{number}" for number in range(50)]
    async with moving(spool, LosingWarehouse(warehouse, 3)) as (writer, _, _):
        for name in names:
            append(spool, name)
            writer.wake()
        await until_empty(spool)
    for table in ("events", "event_feed"):
        assert list(warehouse.query(f"SELECT count(), uniqExact(event_id) FROM {table}")) == [(50, 50)], table


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("place", [0, 4, 9])
def test_a_row_that_cannot_be_stored_keeps_none_of_the_others_out(warehouse: Warehouse, bad: bytes, place: int) -> None:
    lines = [*GOOD[:place], bad, *GOOD[place:]]
    refused = insert_rows(warehouse, "events", lines, "batch")
    assert [row.line for row in refused] == [bad]
    assert refused[0].reason.startswith("ClickHouse at ")
    assert stored(warehouse) == [f"good-{number}" for number in range(9)]


def test_a_refused_batch_that_is_repeated_stores_nothing_twice(warehouse: Warehouse) -> None:
    for table in ("events", "event_feed"):
        warehouse.command(f"SYSTEM STOP MERGES {table}")
    lines = [*GOOD, *BAD.values()]
    assert insert_rows(warehouse, "events", lines, "batch") == insert_rows(warehouse, "events", lines, "batch")
    for table in ("events", "event_feed"):
        assert list(warehouse.query(f"SELECT count(), uniqExact(event_id) FROM {table}")) == [(9, 9)], table


def test_a_table_that_refuses_everything_is_no_matter_of_rows(embedded_warehouse: Warehouse) -> None:
    lines = [BAD["a field without a column"]] * (MAX_REFUSED_ROWS + 28)
    with pytest.raises(WarehouseError, match="by the hundred") as caught:
        insert_rows(embedded_warehouse, "events", lines, "batch")
    assert not isinstance(caught.value, RowsRefused)
    assert "version" in caught.value.hint


def test_trouble_that_is_not_the_rows_is_not_blamed_on_them(embedded_warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError) as caught:
        insert_rows(embedded_warehouse, "no_such_table", GOOD, "batch")
    assert not isinstance(caught.value, RowsRefused)


async def _nothing() -> None:
    return
