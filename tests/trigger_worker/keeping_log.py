"""A log of the worker's rows that never asks ClickHouse anything, as the journal does."""

from __future__ import annotations

from collections.abc import Sequence

from trigger_worker.store.fires import Fire
from trigger_worker.store.records import Records
from trigger_worker.store.row_log import WorkerRows
from warehouse.connection import Warehouse
from warehouse.errors import JournalError


class KeepingLog:
    """Keeps rows until they are moved.

    Attributes:
        fails: True while the disk refuses rows.
    """

    def __init__(self) -> None:
        self.fails = False
        self._waiting: list[tuple[int, WorkerRows]] = []
        self._fires: list[Fire] = []

    async def append(self, rows: WorkerRows, now_ms: int) -> None:
        """Keep rows, or refuse them."""
        if self.fails:
            raise JournalError("the disk is full")
        self._waiting.append((now_ms, rows))
        self._fires += rows.fires

    async def until_shared(self, at: int) -> None:
        """Return at once: whoever works next has the same rows."""

    def oldest_at(self) -> int | None:
        """Return when the oldest row that was not moved yet came."""
        return self._waiting[0][0] if self._waiting else None

    def move(self, warehouse: Warehouse) -> None:
        """Insert what waits, as the journal's mover does."""
        if not self._waiting:
            return
        records, moved = Records(warehouse), [rows for _, rows in self._waiting]
        records.store_messages([record for rows in moved for record in rows.messages])
        records.store_decisions([decision for rows in moved for decision in rows.decisions])
        records.store_events([event for rows in moved for event in rows.events])
        records.store_fires([fire for rows in moved for fire in rows.fires], self._waiting[-1][0])
        self._waiting.clear()

    def fired(self) -> Sequence[tuple[str, str]]:
        """Return (rule, visitor) of each firing that was ever kept, in order; one that came twice is there twice."""
        return [(fire.rule, fire.visitor_id) for fire in self._fires]
