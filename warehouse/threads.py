"""Threads for statements of one kind: they wait for each other, and for those of no other kind.

A statement holds its thread until ClickHouse answers. Sharing threads, eight slow queries of an operator would hold up
every insert and every turn; so each kind has its own, and a bound for those that wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from warehouse.errors import WarehouseUnavailable

Given = ParamSpec("Given")
Result = TypeVar("Result")


class Threads:
    """Some threads for one kind of work.

    Args:
        name: the kind, for people who read of it.
        count: how many run at the same time.
        max_waiting: most calls that wait for a thread; None where their number is bounded otherwise.
    """

    def __init__(self, name: str, count: int, max_waiting: int | None = None) -> None:
        self._name = name
        self._most = None if max_waiting is None else count + max_waiting
        self._count: Final = count
        self._open = 0
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)

    @property
    def open(self) -> int:
        """How many calls run or wait."""
        return self._open

    async def run(self, work: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs) -> Result:
        """Return the result of a call in one of the threads.

        A caller who gives up does not free the thread: the statement goes on until ClickHouse answers.

        Raises:
            WarehouseUnavailable: too many wait already.
        """
        if self._most is not None and self._open >= self._most:
            raise WarehouseUnavailable(
                f"{self._open} statements of this kind ({self._name}) run or wait already",
                "try again once they have ended",
            )
        self._open += 1
        done = self._pool.submit(work, *args, **kwargs)
        loop = asyncio.get_running_loop()
        done.add_done_callback(lambda _: _call_soon(loop, self._end))
        return await asyncio.wrap_future(done)

    def close(self) -> None:
        """End the threads, once what runs has ended; what waits is not begun."""
        self._pool.shutdown(cancel_futures=True)

    def abandon(self) -> None:
        """End the threads without waiting for what runs."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _end(self) -> None:
        self._open -= 1


def _call_soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:
        return  # the loop is closed: nobody counts any more
