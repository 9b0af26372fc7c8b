from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import force_setattr

from tests.waiting import until
from tests.warehouse.journal.journals import NOON, key, line
from warehouse.connection import Warehouse
from warehouse.errors import WarehouseError, WarehouseUnavailable
from warehouse.journal.group_commit import JournalThread
from warehouse.journal.lane import (
    HURRIED_SECONDS,
    LOADED_ROWS,
    QUIET_SECONDS,
    REFUSALS_BEFORE_HALVING,
    insert_due_at,
    pace_seconds,
)
from warehouse.journal.log import Journal
from warehouse.journal.mover import Mover
from warehouse.journal.tables import DECISIONS, EVENTS, FIRES, TABLES, JournalTable
from warehouse.queries import Inserts

WAIT_SECONDS = 20
MEMORY_LIMIT = 241
TOO_MANY_PARTS = 252
NO_SPACE = 243
ACCESS_DENIED = 497


def refusal(code: int) -> WarehouseError:
    error = WarehouseUnavailable("it does not work")
    error.code = code
    return error


class FakeWarehouse:
    """Remembers what was inserted; an insert fails, before or after it is done, as often as it is told to."""

    def __init__(self, failures: Sequence[Exception] = (), *, loses_answers: bool = False) -> None:
        self.inserted: dict[str, bytes] = {}
        self.tables: dict[str, list[bytes]] = {}
        self.attempts: list[tuple[str, bytes]] = []
        self._failures = list(failures)
        self._loses_answers = loses_answers

    def insert_lines(self, table: str, lines: bytes, token: str) -> None:
        self.attempts.append((token, lines))
        if self._failures and not self._loses_answers:
            raise self._failures.pop(0)
        if token not in self.inserted:
            self.tables.setdefault(table, []).extend(lines.split(b"\n"))
        assert self.inserted.setdefault(token, lines) == lines
        if self._failures:
            raise self._failures.pop(0)


class RefusingWarehouse(FakeWarehouse):
    """Refuses, with ClickHouse's code, whatever has a poisonous row in it, and every insert into some tables."""

    def __init__(self, code: int, poison: bytes = b"", tables: Sequence[str] = ()) -> None:
        super().__init__()
        self._code = code
        self._poison = poison
        self._tables = tables

    def insert_lines(self, table: str, lines: bytes, token: str) -> None:
        if table in self._tables or (self._poison and self._poison in lines):
            self.attempts.append((token, lines))
            raise refusal(self._code)
        super().insert_lines(table, lines, token)


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
    stamina.set_testing(True, attempts=1_000)
    yield
    stamina.set_testing(False)


@pytest.fixture
def without_pauses() -> Iterator[None]:
    """Let no table pause between two inserts, where a test makes many."""
    pauses = [(table, name, getattr(table, name)) for table in TABLES for name in ("busy_seconds", "loaded_seconds")]
    for table, name, _ in pauses:
        force_setattr(table, name, 0.0)
    yield
    for table, name, seconds in pauses:
        force_setattr(table, name, seconds)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[JournalThread]:
    with JournalThread(Journal(tmp_path / "journal")) as journal:
        yield journal


def append(journal: JournalThread, *names: str, table: JournalTable = EVENTS) -> None:
    ids = [key(name) for name in names] if table is EVENTS else ()
    journal.append(table, [line(name) for name in names], NOON, ids).result(WAIT_SECONDS)


async def told(_: JournalTable) -> None:
    """Do nothing with the news of a table."""


@asynccontextmanager
async def moving(journal: JournalThread, warehouse: Inserts) -> AsyncIterator[tuple[Mover, list[JournalTable]]]:
    """Run a mover; the list grows by a table with each announcement of news."""
    news: list[JournalTable] = []

    async def announce(table: JournalTable) -> None:
        news.append(table)

    with Mover(journal, warehouse, announce) as mover:
        task = asyncio.create_task(mover.run())
        try:
            yield mover, news
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def until_empty(journal: JournalThread, *tables: JournalTable) -> None:
    await until(lambda: not any(journal.depth(table) for table in tables or TABLES))


SECONDS = st.floats(0, 1e6)


@pytest.mark.parametrize("table", TABLES)
def test_inserts_are_seldom_under_load_and_frequent_while_somebody_waits_for_them(table: JournalTable) -> None:
    assert pace_seconds(table, 1, hurried=False) == table.busy_seconds
    assert pace_seconds(table, LOADED_ROWS, hurried=False) == table.loaded_seconds > table.busy_seconds
    for waiting in (1, LOADED_ROWS):
        assert pace_seconds(table, waiting, hurried=True) == HURRIED_SECONDS < table.busy_seconds


async def test_rows_that_wait_under_load_are_inserted_at_once_when_somebody_waits_for_them(
    journal: JournalThread, embedded_warehouse: Warehouse
) -> None:
    hurried = False
    with Mover(journal, embedded_warehouse, told, hurries=lambda: hurried) as mover:
        lane = mover.lanes[EVENTS]
        append(journal, "first")
        await lane.wait_until_due()
        append(journal, *(f"event-{number}" for number in range(LOADED_ROWS)))
        waiting = asyncio.create_task(lane.wait_until_due())
        done, _ = await asyncio.wait({waiting}, timeout=EVENTS.busy_seconds + HURRIED_SECONDS)
        assert not done
        hurried = True
        async with asyncio.timeout(EVENTS.loaded_seconds - EVENTS.busy_seconds - HURRIED_SECONDS):
            await waiting


@given(SECONDS, SECONDS, st.floats(0.1, 2))
def test_an_insert_is_due_soon_after_quiet_and_at_a_steady_pace_when_busy(
    first_row_at: float, last_insert_at: float, busy: float
) -> None:
    due_at = insert_due_at(first_row_at, last_insert_at, busy)
    assert due_at >= first_row_at + QUIET_SECONDS
    assert due_at >= last_insert_at + busy
    if first_row_at >= last_insert_at + busy:
        assert due_at == first_row_at + QUIET_SECONDS


async def test_what_waits_is_inserted_and_announced(journal: JournalThread) -> None:
    warehouse = FakeWarehouse()
    append(journal, "a", "b")
    append(journal, "f", table=FIRES)
    async with moving(journal, warehouse) as (mover, news):
        await until_empty(journal)
        append(journal, "c")
        await until_empty(journal)
        await until(lambda: len(news) == 3)
        assert mover.lanes[EVENTS].inserted == 3
    assert warehouse.tables == {"events": [line(name) for name in "abc"], "fires": [line("f")]}
    assert sorted(table.name for table in news) == ["events", "events", "fires"]


async def test_nothing_is_inserted_when_nothing_waits(journal: JournalThread) -> None:
    warehouse = FakeWarehouse()
    async with moving(journal, warehouse) as (_, news):
        await asyncio.sleep(0.05)
    assert (warehouse.attempts, news) == ([], [])


async def test_rows_that_keep_arriving_are_inserted_together(journal: JournalThread) -> None:
    warehouse = FakeWarehouse()
    async with moving(journal, warehouse):
        for number in range(50):
            append(journal, f"e{number}")
            await asyncio.sleep(0.002)
        await until_empty(journal)
    assert len(warehouse.attempts) <= 4
    assert len(warehouse.tables["events"]) == 50


@pytest.mark.parametrize("kind", [WarehouseUnavailable, WarehouseError])
async def test_a_batch_is_tried_until_the_warehouse_takes_it(
    journal: JournalThread, kind: type[WarehouseError]
) -> None:
    failures = 3 * REFUSALS_BEFORE_HALVING
    warehouse = FakeWarehouse([kind("away")] * failures)
    append(journal, "a", "b")
    async with moving(journal, warehouse) as (mover, _):
        await until_empty(journal)
        assert mover.lanes[EVENTS].failures == failures
    assert len(warehouse.attempts) == failures + 1
    assert len(set(warehouse.attempts)) == 1, "each attempt has the same rows under the same token"


async def test_a_table_that_is_refused_holds_up_none_of_the_others(journal: JournalThread) -> None:
    warehouse = RefusingWarehouse(TOO_MANY_PARTS, tables=["decisions"])
    append(journal, "d", table=DECISIONS)
    append(journal, "f", table=FIRES)
    async with moving(journal, warehouse):
        await until(lambda: len(warehouse.attempts) > 5)
        append(journal, "a")
        await until_empty(journal, EVENTS, FIRES)
        assert journal.depth(DECISIONS) == 1
    assert set(warehouse.tables) == {"events", "fires"}


@pytest.mark.usefixtures("without_pauses")
async def test_the_row_that_a_batch_is_refused_for_is_found_and_set_aside(journal: JournalThread) -> None:
    warehouse = RefusingWarehouse(MEMORY_LIMIT, poison=line("e5"))
    names = [f"e{number}" for number in range(9)]
    append(journal, *names)
    async with moving(journal, warehouse) as (mover, _):
        await until_empty(journal)
        # The journal forgets a batch a moment before it is counted.
        await until(lambda: mover.lanes[EVENTS].set_aside + mover.lanes[EVENTS].inserted == 9)
        assert (mover.lanes[EVENTS].set_aside, mover.lanes[EVENTS].inserted) == (1, 8)
    assert warehouse.tables["events"] == [line(name) for name in names if name != "e5"]


@pytest.mark.parametrize("code", [TOO_MANY_PARTS, NO_SPACE, ACCESS_DENIED])
async def test_a_batch_that_is_refused_because_of_overload_stays_whole(journal: JournalThread, code: int) -> None:
    warehouse = FakeWarehouse([refusal(code)] * (3 * REFUSALS_BEFORE_HALVING))
    append(journal, "a", "b")
    async with moving(journal, warehouse):
        await until_empty(journal)
    assert len(set(warehouse.attempts)) == 1


@pytest.mark.usefixtures("without_pauses")
async def test_a_table_that_takes_nothing_at_all_loses_no_more_than_a_hundred_rows_to_the_side(
    journal: JournalThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.journal.lane.REFUSALS_BEFORE_HALVING", 1)
    monkeypatch.setattr("warehouse.journal.lane.MAX_REFUSED_ROWS", 3)
    warehouse = RefusingWarehouse(60, tables=["fires"])
    append(journal, *(f"f{number}" for number in range(8)), table=FIRES)
    async with moving(journal, warehouse) as (mover, _):
        await until(lambda: mover.lanes[FIRES].set_aside == 3)
        seen = len(warehouse.attempts)
        await until(lambda: len(warehouse.attempts) > seen + 20)
        assert journal.depth(FIRES) == 5


async def test_events_that_arrive_meanwhile_go_into_a_batch_of_their_own(journal: JournalThread) -> None:
    warehouse = FakeWarehouse([WarehouseUnavailable("away")] * 3, loses_answers=True)
    append(journal, "a")
    begun = journal.take(EVENTS, 1).result(WAIT_SECONDS)
    append(journal, "b")
    async with moving(journal, warehouse):
        await until_empty(journal)
    assert begun is not None
    assert list(warehouse.inserted.values()) == [line("a"), line("b")]
    assert warehouse.attempts[0] == (begun.token, line("a"))


async def test_an_error_that_is_no_warehouses_ends_the_mover_loudly(journal: JournalThread) -> None:
    append(journal, "a")
    with Mover(journal, FakeWarehouse([KeyError("bug")]), _nothing) as mover, pytest.raises(ExceptionGroup) as caught:
        async with asyncio.timeout(WAIT_SECONDS):
            await mover.run()
    assert isinstance(caught.value.exceptions[0], KeyError)
    assert journal.depth(EVENTS) == 1


async def test_news_that_nobody_takes_stops_nothing(journal: JournalThread) -> None:
    async def fail(_: JournalTable) -> None:
        raise ConnectionError("the bus is away")

    warehouse = FakeWarehouse()
    with Mover(journal, warehouse, fail) as mover:
        task = asyncio.create_task(mover.run())
        for name in ("a", "b"):
            append(journal, name)
            await until_empty(journal)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert warehouse.tables["events"] == [line("a"), line("b")]


async def test_catching_up_waits_for_the_rows_of_each_table_that_were_there_before(journal: JournalThread) -> None:
    append(journal, "e1", "e2")
    append(journal, "f", table=FIRES)
    warehouse = RefusingWarehouse(TOO_MANY_PARTS, tables=["fires"])
    async with moving(journal, warehouse) as (mover, _):
        waiting = asyncio.create_task(mover.caught_up())
        await until_empty(journal, EVENTS)
        assert not waiting.done()
        append(journal, "since", table=DECISIONS)
        warehouse._tables = ["decisions"]
        async with asyncio.timeout(WAIT_SECONDS):
            await waiting
        assert (journal.depth(FIRES), journal.depth(DECISIONS)) == (0, 1)


async def test_rows_that_a_damaged_file_lost_are_not_waited_for(
    journal: JournalThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(journal, "a")
    with monkeypatch.context() as patched:
        patched.setattr(journal, "depth", lambda table: 5 if table is EVENTS else 0)
        mover = Mover(journal, FakeWarehouse(), _nothing)
    with mover:
        await mover.drain()
        async with asyncio.timeout(WAIT_SECONDS):
            await mover.caught_up()


async def test_draining_moves_everything(journal: JournalThread) -> None:
    warehouse = FakeWarehouse()
    append(journal, *(f"e{number}" for number in range(5_001)))
    append(journal, "f", table=FIRES)
    with Mover(journal, warehouse, _nothing) as mover:
        await mover.drain()
    assert not any(map(journal.depth, TABLES))
    assert sorted(lines.count(b"\n") + 1 for lines in warehouse.inserted.values()) == [1, 1, 5_000]


async def test_draining_gives_up_a_table_at_its_first_failure_and_loses_nothing(journal: JournalThread) -> None:
    warehouse = RefusingWarehouse(TOO_MANY_PARTS, tables=["events"])
    append(journal, "a")
    append(journal, "f", table=FIRES)
    with Mover(journal, warehouse, _nothing) as mover:
        with pytest.raises(WarehouseUnavailable):
            await mover.drain()
        assert (journal.depth(EVENTS), journal.depth(FIRES)) == (1, 0)
        warehouse._tables = []
        await mover.drain()
    assert len(set(warehouse.attempts)) == 2


async def test_a_row_that_cannot_be_stored_is_set_aside_and_counted(
    journal: JournalThread, warehouse: Warehouse
) -> None:
    journal.append(EVENTS, [line("a"), b"{", line("b")], NOON).result(WAIT_SECONDS)
    async with moving(journal, warehouse) as (mover, _):
        await until_empty(journal)
        await until(lambda: mover.lanes[EVENTS].inserted == 2)
        assert mover.lanes[EVENTS].set_aside == 1
    assert list(warehouse.query("SELECT event_id FROM events ORDER BY event_id")) == [("a",), ("b",)]


async def test_lost_answers_store_nothing_twice(journal: JournalThread, warehouse: Warehouse) -> None:
    for table in ("events", "event_feed"):
        warehouse.command(f"SYSTEM STOP MERGES {table}")
    async with moving(journal, LosingWarehouse(warehouse, 3)):
        for number in range(50):
            append(journal, f"e{number}")
        await until_empty(journal)
    for table in ("events", "event_feed"):
        assert list(warehouse.query(f"SELECT count(), uniqExact(event_id) FROM {table}")) == [(50, 50)], table


async def _nothing(_: JournalTable) -> None:
    return
