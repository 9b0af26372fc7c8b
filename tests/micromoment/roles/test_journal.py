"""The journal of a process, from what earlier processes left to what this one leaves."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path

import pytest
import stamina
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from micromoment.roles import journal as roles_journal
from micromoment.roles.bus import BusListener, BusMetrics, LocalBus
from micromoment.roles.clock import local_ms
from micromoment.roles.collector import run_collector
from micromoment.roles.journal import (
    JOURNAL_OF_ALL,
    JOURNAL_OF_COLLECTOR,
    JOURNAL_OF_WORKER,
    OpenJournal,
    open_journal,
)
from micromoment.roles.up import ALL_ROLES, announce_events, journal_name
from micromoment.roles.worker import run_worker_alone
from tests.micromoment.roles.installation import settings_in
from tests.waiting import until
from tests.warehouse.journal.journals import NOON, append, key, line, take
from tests.warehouse.journal.test_adoption import fill
from warehouse.connection import Warehouse
from warehouse.errors import ConfigurationError, RowsRefused, WarehouseError, WarehouseUnavailable
from warehouse.journal.log import Journal
from warehouse.journal.mover import Mover
from warehouse.journal.tables import EVENTS, FIRES, TABLES, JournalTable
from warehouse.queries import Inserts


class FakeWarehouse:
    """Takes every row, unless a function of the table says otherwise."""

    def __init__(self, refuse: Callable[[str], None] = lambda _: None) -> None:
        self.refuse = refuse
        self.inserted: list[tuple[str, bytes]] = []

    def insert_lines(self, table: str, lines: bytes, token: str) -> None:
        self.refuse(table)
        self.inserted += [(table, each) for each in lines.split(b"\n")]

    @property
    def lines(self) -> list[bytes]:
        return [each for _, each in self.inserted]


def away(_: str) -> None:
    raise WarehouseUnavailable("nobody there")


async def _nothing(_: JournalTable) -> None:
    return


@asynccontextmanager
async def opened(
    folder: Path,
    warehouse: Inserts,
    name: str = JOURNAL_OF_ALL,
    *,
    adopts_spool: bool = True,
    registry: CollectorRegistry | None = None,
    now_ms: Callable[[], int] = local_ms,
) -> AsyncIterator[OpenJournal]:
    registry = registry or CollectorRegistry()
    settings = settings_in(folder)
    async with open_journal(
        settings,
        name,
        partial(Mover, warehouse=warehouse, announce=_nothing),
        registry,
        adopts_spool=adopts_spool,
        now_ms=now_ms,
    ) as journal:
        yield journal


def left_in(folder: Path, *names: str) -> None:
    """Leave rows in a journal, as a process that was killed does."""
    with Journal(folder) as journal:
        append(journal, *names)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder."""
    (tmp_path / "var").mkdir()
    return tmp_path / "var"


async def test_rows_are_moved_while_the_block_runs(tmp_path: Path, embedded_warehouse: Warehouse) -> None:
    async with opened(tmp_path, embedded_warehouse) as journal:
        await journal.thread.append_async(EVENTS, [line("a")], NOON, [key("a")])
        await until(lambda: journal.thread.depth(EVENTS) == 0)
        assert embedded_warehouse.query("SELECT event_id FROM events") == [("a",)]


async def test_rows_of_the_last_moment_are_moved_at_the_end(tmp_path: Path) -> None:
    warehouse = FakeWarehouse()
    async with opened(tmp_path, warehouse) as journal:
        for table in (EVENTS, FIRES):
            await journal.thread.append_async(table, [line(table.name)], NOON)
    assert sorted(warehouse.inserted) == [("events", line("events")), ("fires", line("fires"))]


async def test_what_clickhouse_does_not_take_at_the_end_is_left_for_the_next_process(
    tmp_path: Path, data: Path
) -> None:
    async with opened(tmp_path, FakeWarehouse(away)) as journal:
        await journal.thread.append_async(EVENTS, [line("a")], NOON)
    warehouse = FakeWarehouse()
    async with opened(tmp_path, warehouse) as journal:
        await journal.caught_up()
        assert warehouse.lines == [line("a")]


async def test_an_insert_that_hangs_at_the_end_is_given_up_and_repeated_by_the_next_process(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roles_journal, "_DRAIN_WITHIN_SECONDS", 0.01)
    let_go = threading.Event()
    tokens: set[str] = set()

    class Hanging:
        def insert_lines(self, table: str, lines: bytes, token: str) -> None:
            tokens.add(token)
            let_go.wait(20)

    async with opened(tmp_path, Hanging()) as journal:
        await journal.thread.append_async(EVENTS, [line("a")], NOON)
        await until(lambda: bool(tokens))
        # No thread can be stopped: once the drain was given up, the end waits for it.
        threading.Timer(0.3, let_go.set).start()
    with Journal(data / JOURNAL_OF_ALL) as left:
        batch = take(left)
    assert batch is not None
    assert {batch.token} == tokens


async def test_catching_up_waits_for_every_row_from_before_and_for_none_that_came_since(
    tmp_path: Path, data: Path
) -> None:
    left_in(data / JOURNAL_OF_ALL, "before-1", "before-2")
    is_away = True

    def refuse(table: str) -> None:
        if is_away or table == FIRES.into:
            away(table)

    with stamina.set_testing(True, attempts=100_000):
        async with opened(tmp_path, FakeWarehouse(refuse)) as journal:
            waiting = asyncio.create_task(journal.caught_up())
            await journal.thread.append_async(FIRES, [line("since")], NOON)
            await until(lambda: journal.movers[0].lanes[EVENTS].failures > 2)
            assert not waiting.done()
            is_away = False
            async with asyncio.timeout(20):
                await waiting
            assert journal.thread.depth(FIRES) == 1


async def test_a_row_from_before_that_is_refused_keeps_nobody_from_catching_up(tmp_path: Path, data: Path) -> None:
    left_in(data / JOURNAL_OF_ALL, "poison", "good")

    class Refusing(FakeWarehouse):
        def insert_lines(self, table: str, lines: bytes, token: str) -> None:
            if line("poison") in lines.split(b"\n"):
                raise RowsRefused("it cannot be read")
            super().insert_lines(table, lines, token)

    warehouse = Refusing()
    async with opened(tmp_path, warehouse) as journal, asyncio.timeout(20):
        await journal.caught_up()
        assert warehouse.lines == [line("good")]


async def test_without_rows_from_before_there_is_nothing_to_catch_up_with(tmp_path: Path) -> None:
    async with opened(tmp_path, FakeWarehouse(away)) as journal, asyncio.timeout(20):
        await journal.caught_up()


async def test_the_spool_of_the_earlier_version_is_taken_over_and_caught_up_with(tmp_path: Path, data: Path) -> None:
    fill(data / "spool.sqlite", 3)
    warehouse = FakeWarehouse()
    async with opened(tmp_path, warehouse) as journal, asyncio.timeout(20):
        await journal.caught_up()
        assert warehouse.lines == [line(name) for name in ("begun-0", "begun-1", "e0", "e1", "e2", "refused")]
    assert (data / "spool.sqlite.adopted").exists()


async def test_a_worker_of_its_own_leaves_the_spool_to_the_collector(tmp_path: Path, data: Path) -> None:
    fill(data / "spool.sqlite", 3)
    async with opened(tmp_path, FakeWarehouse(), JOURNAL_OF_WORKER, adopts_spool=False):
        assert (data / "spool.sqlite").exists()


async def test_a_spool_in_use_lets_no_process_start_and_keeps_no_journal_open(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.journal.adoption._LOCK_WAIT_SECONDS", 0.01)
    fill(data / "spool.sqlite", 1)
    with closing(sqlite3.connect(data / "spool.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ConfigurationError, match="cannot be taken over"):
            async with opened(tmp_path, FakeWarehouse()):
                pytest.fail("the block ran")
    with Journal(data / JOURNAL_OF_ALL, lock_wait=0):
        pass


@pytest.mark.parametrize(
    ("name", "earlier"),
    [
        (JOURNAL_OF_ALL, [JOURNAL_OF_COLLECTOR, JOURNAL_OF_WORKER]),
        (JOURNAL_OF_COLLECTOR, [JOURNAL_OF_ALL]),
        (JOURNAL_OF_WORKER, [JOURNAL_OF_ALL]),
    ],
)
async def test_what_another_division_into_processes_left_is_moved_and_caught_up_with(
    tmp_path: Path, data: Path, name: str, earlier: Sequence[str]
) -> None:
    for each in (name, *earlier):
        left_in(data / each, f"left in {each}")
    warehouse = FakeWarehouse()
    async with opened(tmp_path, warehouse, name) as journal, asyncio.timeout(20):
        await journal.caught_up()
        assert sorted(warehouse.lines) == sorted(line(f"left in {each}") for each in (name, *earlier))


async def test_an_earlier_journal_that_another_process_uses_is_left_to_it(tmp_path: Path, data: Path) -> None:
    with Journal(data / JOURNAL_OF_ALL) as used, capture_logs() as logs:
        append(used, "of the other")
        async with (
            opened(tmp_path, FakeWarehouse(), JOURNAL_OF_COLLECTOR) as collector,
            opened(tmp_path, FakeWarehouse(), JOURNAL_OF_WORKER) as worker,
        ):
            await collector.caught_up()
            await worker.caught_up()
        assert used.depth(EVENTS) == 1
    assert [entry["event"] for entry in logs].count("earlier_journal_not_moved") == 2


async def test_figures_add_up_every_journal_of_the_process(tmp_path: Path, data: Path) -> None:
    left_in(data / JOURNAL_OF_ALL, "a")
    registry = CollectorRegistry()

    def refuse(table: str) -> None:
        if table == FIRES.into:
            raise RowsRefused("it cannot be read")

    def figure(name: str, table: JournalTable | None = None) -> float | None:
        return registry.get_sample_value(f"micromoment_{name}", {"table": table.name} if table else {})

    async with opened(tmp_path, FakeWarehouse(refuse), JOURNAL_OF_COLLECTOR, registry=registry) as journal:
        await journal.thread.append_async(EVENTS, [line("b"), line("c")], NOON)
        await journal.thread.append_async(FIRES, [line("refused")], NOON)
        await until(lambda: (figure("rows_inserted_total", EVENTS), figure("rows_set_aside_total", FIRES)) == (3, 1))
        assert [figure("journal_rows", table) for table in TABLES] == [0] * len(TABLES)
        assert (figure("insert_seconds_count", EVENTS), figure("journal_oldest_seconds")) == (2, 0)
        assert figure("journal_bytes")


async def test_figures_tell_of_a_clickhouse_that_is_away(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    async with opened(tmp_path, FakeWarehouse(away), registry=registry) as journal:
        await journal.thread.append_async(EVENTS, [line("a"), line("b")], NOON)
        labels = {"table": "events"}
        await until(lambda: bool(registry.get_sample_value("micromoment_insert_failures_total", labels)))
        assert registry.get_sample_value("micromoment_journal_rows", labels) == 2
        assert registry.get_sample_value("micromoment_rows_inserted_total", labels) == 0


async def test_the_age_of_the_oldest_row_is_told_in_seconds(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    async with opened(tmp_path, FakeWarehouse(away), registry=registry, now_ms=lambda: NOON + 90_000) as journal:
        await journal.thread.append_async(EVENTS, [line("a")], NOON)
        assert registry.get_sample_value("micromoment_journal_oldest_seconds") == 90


async def test_news_is_published_once_events_are_in_clickhouse_and_of_no_other_rows() -> None:
    news: list[str] = []
    announced = []
    bus = LocalBus(BusMetrics(CollectorRegistry()))
    async with bus.listening(BusListener(on_news=lambda: news.append("news"))):
        for table in TABLES:
            await announce_events(bus)(table)
            announced.append((table.name, len(news)))
            news.clear()
    rows = [("fires", 0), ("decisions", 0), ("messages", 0), ("own_events", 1), ("address_facts", 0), ("faults", 0)]
    assert announced == [("events", 1), *rows]


def test_each_division_into_processes_has_journals_of_its_own() -> None:
    found = [journal_name(roles) for roles in (ALL_ROLES, (run_collector,), (run_worker_alone,))]
    assert found == [JOURNAL_OF_ALL, JOURNAL_OF_COLLECTOR, JOURNAL_OF_WORKER]


async def test_a_table_that_takes_no_rows_is_told_until_it_does(tmp_path: Path) -> None:
    is_full = True

    def refuse(table: str) -> None:
        if is_full and table == EVENTS.into:
            error = WarehouseError("not enough space")
            error.code = 243
            raise error

    warehouse = FakeWarehouse(refuse)
    async with opened(tmp_path, warehouse) as journal:
        assert journal.storing_state() == "ok"
        await journal.thread.append_async(EVENTS, [line("a")], NOON)
        await until(lambda: journal.storing_state() == "events: not enough space")
        is_full = False
        await until(lambda: journal.storing_state() == "ok")
    assert warehouse.lines == [line("a")]
