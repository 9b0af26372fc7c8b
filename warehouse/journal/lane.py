"""One table's way from the journal to ClickHouse: when to insert, what to do when ClickHouse refuses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Final

import stamina
import structlog

from warehouse.errors import JournalError, WarehouseError
from warehouse.journal.group_commit import JournalThread
from warehouse.journal.insertion import MAX_REFUSED_ROWS, insert_rows
from warehouse.journal.tables import JournalBatch, JournalTable, RowSetAside
from warehouse.queries import Inserts

#: Tells whether a row of a table may still be stored.
IsKept = Callable[[JournalTable, bytes], bool]
MAX_ROWS_PER_INSERT: Final = 5_000
#: How long the first row of a quiet table waits for others.
QUIET_SECONDS: Final = 0.05
#: From so many waiting rows on a table is under load: its inserts are fewer and larger, because the price of an insert,
#: and of the merges that follow it, hardly depends on its rows.
LOADED_ROWS: Final = 200
#: Least seconds between two inserts while nothing but ClickHouse tells other processes of rows.
HURRIED_SECONDS: Final = 0.25
MAX_RETRY_SECONDS: Final = 5.0
#: After so many refusals in a row that may be of the rows, a batch is halved.
REFUSALS_BEFORE_HALVING: Final = 10
#: ClickHouse's codes for trouble that no smaller batch would end: too many queries or parts, read-only, shutting down;
#: a full or failing disk, the network, a right that is missing.
_NOT_OF_ROWS: Final = frozenset(
    {202, 203, 236, 242, 252, 279, 425, 439, 999} | {74, 75, 76, 209, 210, 243} | {164, 192, 193, 194, 394, 497, 516}
)
_log = structlog.get_logger("warehouse.journal.lane")


def insert_due_at(first_row_at: float, last_insert_at: float, busy_seconds: float) -> float:
    """Return when to insert rows of a table: soon while it is quiet, at a steady pace while rows keep arriving.

    Args:
        first_row_at: when the first row that waits was seen, in seconds.
        last_insert_at: when the insert before began, in seconds on the same clock.
        busy_seconds: least seconds between the beginnings of two inserts.
    """
    return max(first_row_at + QUIET_SECONDS, last_insert_at + busy_seconds)


def pace_seconds(table: JournalTable, waiting: int, *, hurried: bool) -> float:
    """Return the least seconds between the beginnings of two inserts.

    Args:
        table: whose rows.
        waiting: how many of them wait.
        hurried: whether somebody waits to read them in ClickHouse.
    """
    if hurried:
        return min(HURRIED_SECONDS, table.busy_seconds)
    return table.busy_seconds if waiting < LOADED_ROWS else table.loaded_seconds


def never() -> bool:
    """Return False: nobody waits for rows in ClickHouse."""
    return False


class Lane:
    """Moves the rows of one table, batch after batch; the others do not wait for it.

    Args:
        table: whose rows.
        journal: where they wait.
        warehouse: where they go.
        threads: where inserts run.
        is_kept: tells whether a row may still be stored; the others leave the journal without it.
        hurries: tells whether somebody waits to read rows in ClickHouse.
    """

    def __init__(
        self,
        table: JournalTable,
        journal: JournalThread,
        warehouse: Inserts,
        threads: Executor,
        is_kept: IsKept,
        hurries: Callable[[], bool] = never,
    ) -> None:
        self.table: Final = table
        #: Since the process began: rows in ClickHouse, rows set aside, and failed attempts.
        self.inserted = self.set_aside = self.failures = 0
        #: Since the process began: batches in ClickHouse, and how long their inserts took.
        self.batches, self.insert_seconds = 0, 0.0
        #: Why the last attempt failed; "" when it did not, or nothing was attempted yet.
        self.trouble = ""
        #: Since the process began: rows of persons who were erased, which were not stored.
        self.not_kept = 0
        #: Whether the rows that waited at the start have left the journal.
        self.caught_up = asyncio.Event()
        self._rows_from_before = journal.depth(table)
        self._journal = journal
        self._warehouse = warehouse
        self._threads = threads
        self._is_kept = is_kept
        self._hurries = hurries
        self._news = asyncio.Event()
        self._first_row_at = self._last_insert_at = float("-inf")
        self._limit = MAX_ROWS_PER_INSERT
        self._refused_alone = 0
        self._note_progress()

    def wake(self) -> None:
        """Say that rows may have arrived."""
        if not self._news.is_set() and self._journal.depth(self.table):
            self._first_row_at = time.monotonic()
            self._news.set()

    async def wait_until_due(self) -> None:
        """Wait until there is something to insert, and it is time to."""
        if not self._journal.depth(self.table):
            await self._news.wait()
        self._news.clear()
        while (waiting := self._journal.depth(self.table)) < self._limit:
            pace = pace_seconds(self.table, waiting, hurried=self._hurries())
            left = insert_due_at(self._first_row_at, self._last_insert_at, pace) - time.monotonic()
            if left <= 0:
                break
            # In steps: load, and haste, may begin meanwhile.
            await asyncio.sleep(min(left, HURRIED_SECONDS))
        self._last_insert_at = time.monotonic()

    async def move(self) -> bool:
        """Insert the oldest batch, however often it takes; tell whether rows of it are in ClickHouse now."""
        refusals = 0
        async for attempt in stamina.retry_context(
            on=self._may_retry, attempts=None, timeout=None, wait_initial=0.1, wait_max=MAX_RETRY_SECONDS
        ):
            with attempt:
                batch = await self._journal.take_async(self.table, self._limit)
                if batch is None:
                    return False
                try:
                    await self.insert(batch)
                except WarehouseError as error:
                    refusals = refusals + 1 if error.code and error.code not in _NOT_OF_ROWS else 0
                    if refusals < REFUSALS_BEFORE_HALVING or not await self._halve(batch, error):
                        raise
                    refusals = 0
                    return False
        return True

    async def insert(self, batch: JournalBatch) -> None:
        """Insert a batch and finish it.

        Raises:
            WarehouseError: it is not in ClickHouse, as far as is known.
            JournalError: it is, and the journal does not know yet.
        """
        started = time.monotonic()
        loop = asyncio.get_running_loop()
        refused, not_kept = await loop.run_in_executor(self._threads, self._insert_kept, batch)
        self.insert_seconds += time.monotonic() - started
        self.batches += 1
        self.trouble = ""
        await self._finish(batch, refused, not_kept)
        self._limit = min(MAX_ROWS_PER_INSERT, 2 * self._limit)
        self._refused_alone = 0

    def _insert_kept(self, batch: JournalBatch) -> tuple[list[RowSetAside], int]:
        """Insert the rows of a batch that may still be stored; return those refused, and how many may not.

        A batch whose rows were more the last time has the same token: ClickHouse takes it once all the same.
        """
        lines = [line for line in batch.lines if self._is_kept(self.table, line)]
        refused = insert_rows(self._warehouse, self.table, lines, batch.token) if lines else []
        return refused, len(batch.lines) - len(lines)

    async def _halve(self, batch: JournalBatch, error: WarehouseError) -> bool:
        """Make a refused batch smaller, or set its only row aside; tell whether anything could be done."""
        if len(batch.lines) > 1:
            smaller = await self._journal.shrink_async(batch)
            self._limit = len(smaller.lines)
            _log.warning("batch_halved", table=self.table.name, rows=self._limit, error=error.message)
        elif self._refused_alone < MAX_REFUSED_ROWS:
            self._refused_alone += 1
            await self._finish(batch, [RowSetAside(batch.lines[0], error.message)])
        else:
            return False
        return True

    async def _finish(self, batch: JournalBatch, refused: list[RowSetAside], not_kept: int = 0) -> None:
        for row in refused:
            _log.error("row_set_aside", table=self.table.name, reason=row.reason)
        await self._journal.finish_async(batch, refused)
        self.set_aside += len(refused)
        self.inserted += len(batch.lines) - len(refused) - not_kept
        self.not_kept += not_kept
        self._note_progress()

    def _note_progress(self) -> None:
        # Rows that a damaged file lost had been counted: an empty journal has nothing from before either.
        if self.inserted + self.set_aside + self.not_kept >= self._rows_from_before or not self._journal.depth(
            self.table
        ):
            self.caught_up.set()

    def _may_retry(self, error: Exception) -> bool:
        if not isinstance(error, WarehouseError | JournalError):
            return False
        self.failures += 1
        self.trouble = error.message
        waiting = self._journal.depth(self.table)
        _log.warning("insert_failed", table=self.table.name, error=error.message, remedy=error.hint, waiting=waiting)
        return True
