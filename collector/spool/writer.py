"""Moves rows from the spool to ClickHouse exactly once, for as long as it takes, and sets aside the rows it refuses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import stamina
import structlog

from collector.metrics import CollectorMetrics
from collector.spool.file import RefusedRow, SpooledBatch
from collector.spool.group_commit import GroupCommit
from warehouse.connection import Warehouse
from warehouse.errors import RowsRefused, WarehouseError

MAX_ROWS_PER_INSERT: Final = 5_000
#: Least seconds between two inserts: each makes a part, and merging parts costs more than waiting.
INSERT_INTERVAL_SECONDS: Final = 0.1
MAX_RETRY_SECONDS: Final = 5.0
#: More refused rows than this in one batch are not the rows' fault: tables of another version refuse every row.
MAX_REFUSED_ROWS: Final = 100

_log = structlog.get_logger("collector.spool.writer")


class Writer:
    """Inserts the rows of the spool into ClickHouse, one immutable batch after another.

    A batch has one token from the moment it is formed until ClickHouse has it, through every retry and restart, so
    that ClickHouse recognises a repeat. No row is ever given up; a row that ClickHouse cannot take is set aside, so
    that it keeps none of the others waiting.

    Args:
        spool: holds the acknowledged events.
        warehouse: takes them.
        announce: tells the worker that events were stored.
        metrics: counts rows and failures.
    """

    def __init__(
        self,
        spool: GroupCommit,
        warehouse: Warehouse,
        announce: Callable[[], Awaitable[None]],
        metrics: CollectorMetrics,
    ) -> None:
        self._spool = spool
        self._warehouse = warehouse
        self._announce = announce
        self._metrics = metrics
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Say that the spool holds new events."""
        self._news.set()

    async def run(self) -> None:
        """Move batches until cancelled."""
        while True:
            started = time.monotonic()
            if await self._move_one():
                await asyncio.sleep(max(0.0, INSERT_INTERVAL_SECONDS - (time.monotonic() - started)))
            else:
                await self._news.wait()

    async def drain(self) -> None:
        """Move every batch that is left, giving up at the first failure: the spool keeps the rest for the next start.

        Raises:
            WarehouseError: ClickHouse did not take a batch.
        """
        batch = await self._take()
        while batch is not None:
            await self._finish(batch, await asyncio.to_thread(self._insert, batch))
            batch = await self._take()

    async def _move_one(self) -> bool:
        self._news.clear()
        batch = await self._take()
        if batch is None:
            return False
        await self._finish(batch, await self._insert_until_in(batch))
        await self._announce()
        return True

    async def _finish(self, batch: SpooledBatch, refused: list[RefusedRow]) -> None:
        for row in refused:
            _log.error("row_set_aside", reason=row.reason)
        await asyncio.wrap_future(self._spool.finish(batch, refused))
        self._metrics.rows_set_aside.inc(len(refused))
        self._metrics.rows_inserted.inc(len(batch.lines) - len(refused))

    async def _take(self) -> SpooledBatch | None:
        return await asyncio.wrap_future(self._spool.take(MAX_ROWS_PER_INSERT))

    async def _insert_until_in(self, batch: SpooledBatch) -> list[RefusedRow]:
        endless = stamina.retry_context(
            on=self._may_retry, attempts=None, timeout=None, wait_initial=0.1, wait_max=MAX_RETRY_SECONDS
        )
        async for attempt in endless:
            with attempt:
                return await asyncio.to_thread(self._insert, batch)
        return []

    def _insert(self, batch: SpooledBatch) -> list[RefusedRow]:
        with self._metrics.insert_seconds.time():
            return insert_rows(self._warehouse, "events", batch.lines, batch.token)

    def _may_retry(self, error: Exception) -> bool:
        if not isinstance(error, WarehouseError):
            return False
        self._metrics.insert_failures.inc()
        _log.warning("insert_failed", error=error.message, remedy=error.hint, waiting=self._spool.depth)
        return True


def insert_rows(warehouse: Warehouse, table: str, lines: Sequence[bytes], token: str) -> list[RefusedRow]:
    """Insert rows, and return the rows that ClickHouse cannot take.

    A refused batch is halved until the rows to blame are alone. The halves' tokens follow from the batch's, so a
    repeat after a crash halves it the same way and stores nothing twice.

    Cost: one insert, and about 2 log2(n) more for each refused row of n rows.

    Args:
        table: a table of ours.
        lines: rows as JSON objects.
        token: names the batch.

    Raises:
        WarehouseUnavailable: ClickHouse cannot answer just now.
        WarehouseError: it refused something other than rows, or so many of them that the fault is not theirs.
    """
    refused: list[RefusedRow] = []
    waiting = [(token, list(lines))]
    while waiting:
        name, rows = waiting.pop()
        try:
            warehouse.insert_lines(table, b"\n".join(rows), name)
        except RowsRefused as error:
            if len(rows) > 1:
                middle = len(rows) // 2
                waiting += [(f"{name}.1", rows[middle:]), (f"{name}.0", rows[:middle])]
            else:
                refused.append(RefusedRow(rows[0], error.message))
        if len(refused) > MAX_REFUSED_ROWS:
            raise WarehouseError(
                f"ClickHouse refuses rows of {table} by the hundred, the last one so: {refused[-1].reason}",
                "see that every collector runs the version of Micromoment that last migrated the tables",
            )
    return refused
