"""Moves the journal to ClickHouse: each table by itself, exactly once, for as long as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Self

import structlog

from warehouse.journal.group_commit import JournalThread
from warehouse.journal.lane import MAX_ROWS_PER_INSERT, IsKept, Lane, never
from warehouse.journal.tables import TABLES, JournalTable
from warehouse.queries import Inserts

Announce = Callable[[JournalTable], Awaitable[None]]
_log = structlog.get_logger("warehouse.journal.mover")


def keep_all(_: JournalTable, __: bytes) -> bool:
    """Keep every row."""
    return True


class Mover:
    """Inserts what the journal holds, one immutable batch of each table after another.

    Nothing is ever given up. A row that ClickHouse cannot take is set aside, so that it keeps none of the others
    waiting; a batch that it refuses again and again is halved, so that the row to blame is found.

    Args:
        journal: where acknowledged rows wait.
        warehouse: where they go.
        announce: told of each table that has news in ClickHouse; its failures are logged and forgotten.
        is_kept: tells whether a row may still be stored.
        hurries: tells whether somebody waits to read rows in ClickHouse, as others do while the bus is away.
    """

    def __init__(
        self,
        journal: JournalThread,
        warehouse: Inserts,
        announce: Announce,
        is_kept: IsKept = keep_all,
        hurries: Callable[[], bool] = never,
    ) -> None:
        self._journal = journal
        self._announce = announce
        # A thread for each table: one whose insert hangs holds up none of the others, nor anybody else's threads.
        self._threads = ThreadPoolExecutor(len(TABLES), thread_name_prefix="journal insert")
        self.lanes: Final = {
            table: Lane(table, journal, warehouse, self._threads, is_kept, hurries) for table in TABLES
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # An insert that hangs is waited for until the client gives it up: its connection is closed after this.
        self._threads.shutdown()

    async def run(self) -> None:
        """Move batches until cancelled."""
        self._journal.listen(self._wake)
        async with asyncio.TaskGroup() as tasks:
            for lane in self.lanes.values():
                tasks.create_task(self._run_lane(lane), name=f"mover of {lane.table.name}")

    async def caught_up(self) -> None:
        """Wait until all rows that were in the journal when this was made are in ClickHouse, but for refused ones."""
        for lane in self.lanes.values():
            await lane.caught_up.wait()

    async def drain(self) -> None:
        """Move everything that is left; a table's first failure ends its part: the journal keeps it for the next start.

        Raises:
            WarehouseError, JournalError: of the first table that failed.
        """
        ends = await asyncio.gather(*map(self._drain_lane, self.lanes.values()), return_exceptions=True)
        for error in ends:
            if error is not None:
                raise error

    async def _run_lane(self, lane: Lane) -> None:
        while True:
            await lane.wait_until_due()
            if await lane.move():
                await self._tell(lane.table)
            else:
                await asyncio.sleep(lane.table.busy_seconds)

    async def _drain_lane(self, lane: Lane) -> None:
        while batch := await self._journal.take_async(lane.table, MAX_ROWS_PER_INSERT):
            await lane.insert(batch)

    async def _tell(self, table: JournalTable) -> None:
        try:
            await self._announce(table)
        except Exception as error:  # noqa: BLE001 - whoever listens must not stop what moves
            _log.warning("news_not_announced", table=table.name, error=str(error))

    def _wake(self) -> None:
        for lane in self.lanes.values():
            lane.wake()
