"""A log of the worker's rows that are in ClickHouse as soon as they are durable."""

from __future__ import annotations

import asyncio

from trigger_worker.store.records import Records
from trigger_worker.store.row_log import WorkerRows
from warehouse.connection import Warehouse
from warehouse.errors import JournalError, WarehouseError


class StoringLog:
    """Inserts rows at once, messages before firings, so that a test can read them.

    Args:
        warehouse: where the rows go.

    Attributes:
        fails: the places, counted from now, of the next appends that the disk refuses.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self._records = Records(warehouse)
        self.fails: set[int] = set()

    async def append(self, rows: WorkerRows, now_ms: int) -> None:
        """Insert rows; ClickHouse that refuses them is a disk that refuses them."""
        is_refused, self.fails = 0 in self.fails, {place - 1 for place in self.fails if place}
        if is_refused:
            raise JournalError("the disk is full")
        try:
            await asyncio.to_thread(self._store, rows, now_ms)
        except WarehouseError as error:
            raise JournalError(error.message, error.hint) from error

    async def until_shared(self, at: int) -> None:
        """Return at once: all rows are in ClickHouse."""

    def oldest_at(self) -> int | None:
        """Return None: nothing waits."""
        return None

    def _store(self, rows: WorkerRows, now_ms: int) -> None:
        self._records.store_messages(rows.messages)
        self._records.store_decisions(rows.decisions)
        self._records.store_events(rows.events)
        self._records.store_fires(rows.fires, now_ms)


async def nothing_left() -> None:
    """Return at once: no earlier process left rows behind."""
