"""Rows that come while others are being written go together into the next write."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

#: Writes rows and returns those that were refused for good.
Write = Callable[[list[T]], Awaitable[list[T]]]


class GroupedWrites(Generic[T]):
    """One write at a time, each of all that came since the one before: a burst costs a few inserts, not one a row.

    Args:
        write: takes some rows; it is never called twice at the same time.
        rest: how long to wait between two writes, as a multiple of the time that the one before took: for what
            nobody waits for, and what costs others their turn.
    """

    def __init__(self, write: Write[T], rest: float = 0.0) -> None:
        self._write = write
        self._rest = rest
        self._rested_at = 0.0
        self._waiting: list[tuple[T, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None

    def add(self, row: T) -> asyncio.Future[bool]:
        """Take a row; the answer comes once it is written, and is False when it was refused."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, answer))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all(), name="grouped writes")
        return answer

    def open_tasks(self) -> set[asyncio.Task[None]]:
        """Return what is writing now, if anything."""
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
