"""Large batches, which take turns: together they take no more of the loop than one of them does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final, ParamSpec, TypeVar

from collector.admission.addresses import Share
from collector.errors import RequestError
from warehouse.threads import Threads

P = ParamSpec("P")
T = TypeVar("T")

#: Large batches of one address that may wait for their turn, the running one counted in; and of all addresses.
MAX_LARGE_EACH: Final = 8
MAX_LARGE: Final = 64


class LargeBatches:
    """Takes large batches one at a time, so that together they take no more of the loop than one of them does.

    Args:
        most_each: batches that one address may have here; 0 for no limit.
    """

    def __init__(self, most_each: int = MAX_LARGE_EACH) -> None:
        self._share = Share(most_each, "too_many_large", "too many large batches of this address wait already")
        self._turn = asyncio.Semaphore()
        self._thread = Threads("large batch", 1)

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Wait until no other large batch is being worked on.

        Raises:
            RequestError: too many wait.
        """
        if len(self._share) >= MAX_LARGE:
            raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "busy", "too many large batches wait", 5)
        with self._share.one_of(address):
            async with self._turn:
                yield

    async def decode(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a function returns that is called outside of the loop."""
        return await self._thread.run(function, *args, **kwargs)
