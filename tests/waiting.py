"""Waiting for something that happens elsewhere, in another thread or process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

LONGEST_SECONDS = 120.0


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so; far longer than it takes is a failure."""
    async with asyncio.timeout(LONGEST_SECONDS):
        while not is_so():  # noqa: ASYNC110 - nobody there could set an event of this loop
            await asyncio.sleep(0.005)


async def until_told(ask: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a question is answered with yes."""
    async with asyncio.timeout(LONGEST_SECONDS):
        while not await ask():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)
