"""Work that takes long: large batches one after another, and questions to ClickHouse by a few threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from http import HTTPStatus
from threading import BoundedSemaphore
from typing import Final, ParamSpec, TypeVar

from collector.admission.addresses import Share
from collector.errors import RequestError

P = ParamSpec("P")
T = TypeVar("T")

#: Large batches of one address that may wait for their turn, the running one counted in; and of all addresses.
MAX_LARGE_EACH: Final = 8
MAX_LARGE: Final = 64
#: Questions of requests that ClickHouse answers at the same time, and those that may wait.
READERS: Final = 4
MAX_WAITING_READS: Final = 32


def _busy(message: str) -> RequestError:
    return RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "busy", message, retry_after_seconds=5)


class LargeBatches:
    """Takes large batches one at a time, so that together they take no more of the loop than one of them does.

    Args:
        most_each: batches that one address may have here; 0 for no limit.
    """

    def __init__(self, most_each: int = MAX_LARGE_EACH) -> None:
        self._share = Share(most_each, "too_many_large", "too many large batches of this address wait already")
        self._turn = asyncio.Semaphore()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="large batch")

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Wait until no other large batch is being worked on.

        Raises:
            RequestError: too many wait.
        """
        if len(self._share) >= MAX_LARGE:
            raise _busy("too many large batches wait")
        with self._share.one_of(address):
            async with self._turn:
                yield

    async def decode(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a function returns that is called outside of the loop."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: function(*args, **kwargs))


class PublicReads:
    """Asks ClickHouse what the answers to requests need, by threads that nothing else waits for."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="public read")
        self._places = BoundedSemaphore(READERS + MAX_WAITING_READS)

    async def read(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a function returns that asks ClickHouse.

        Cost: the function's.

        Raises:
            RequestError: 503, too many questions wait.
        """
        if not self._places.acquire(blocking=False):
            raise _busy("too many requests wait for ClickHouse")
        asked = self._threads.submit(lambda: function(*args, **kwargs))
        # A request that is given up does not give back its thread: that ends with the answer.
        asked.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(asked)
