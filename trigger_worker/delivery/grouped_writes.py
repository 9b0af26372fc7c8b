"""Groups writes: rows that arrive during one write go together into the next one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

#: Writes rows and returns the rows that were refused for good.
Write = Callable[[list[T]], Awaitable[list[T]]]


class GroupedWrites(Generic[T]):
    """Writes rows in groups, one write at a time: a burst of rows costs a few inserts, not one insert per row.

    Args:
        write: writes some rows; it is never called twice at the same time.
        rest: the pause after each write, as a multiple of the time that the write took; for rows that nobody waits
            for, so that their writes leave room for others.
    """

    def __init__(self, write: Write[T], rest: float = 0.0) -> None:
        self._write = write
        self._rest = rest
        self._rested_at = 0.0
        self._waiting: list[tuple[T, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None

    def add(self, row: T) -> asyncio.Future[bool]:
        """Add a row to the next write, and return a future: True once the row is written, False when it was refused."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, answer))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all(), name="grouped writes")
        return answer

    def open_tasks(self) -> set[asyncio.Task[None]]:
        """Return the task that writes, if rows are being written or wait to be."""
        return set() if self._writing is None else {self._writing}

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(max(0.0, self._rested_at - time.monotonic()))
                group, self._waiting = self._waiting, []
                await self._write_group(group)
        finally:
            self._writing = None

    async def _write_group(self, group: list[tuple[T, asyncio.Future[bool]]]) -> None:
        started = time.monotonic()
        try:
            refused = await self._write([row for row, _ in group])
        except BaseException:
            for _, answer in group:
                answer.cancel()
            raise
        written = time.monotonic()
        self._rested_at = written + self._rest * (written - started)
        refusals = {id(row) for row in refused}
        for row, answer in group:
            if not answer.done():
                answer.set_result(id(row) not in refusals)
