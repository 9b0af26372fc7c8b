"""A worker's turn: it waits for the lease, works while it has it, and waits again when it lost it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Gauge

from micromoment.configuration.settings import Settings
from micromoment.roles.lease import FileLease, Lease
from micromoment.roles.redis_client import redis_client
from micromoment.roles.redis_lease import USUAL_TIMES, RedisLease

#: Opens what works, given the function that tells whether the lease is still held, and yields its loop.
OpenWork = Callable[[Callable[[], bool]], AbstractAsyncContextManager[Coroutine[Any, Any, None]]]


async def work_as_owner(settings: Settings, registry: CollectorRegistry, open_work: OpenWork) -> None:
    """Work whenever this process has the lease, until cancelled.

    Whatever works is opened anew after a lost lease: another worker may have changed all that it remembers.

    Args:
        settings: the settings of the installation.
        registry: shows whether the lease is held.
        open_work: opens what works.
    """
    held = Gauge("micromoment_lease_held", "1 while this worker decides and sends.", registry=registry)
    while True:
        lost = asyncio.Event()
        async with open_lease(settings, lost.set) as lease:
            held.set_function(lease.is_held)
            await lease.acquire()
            async with open_work(lease.is_held) as work:
                await _until(lost, work)


@asynccontextmanager
async def open_lease(settings: Settings, on_lost: Callable[[], None]) -> AsyncIterator[Lease]:
    """Yield a lease, not acquired yet, and release it when the block ends.

    It is kept in Redis where there is one; else no other machine can run a worker, and a file's lock is enough.

    Args:
        settings: the settings of the installation.
        on_lost: called once when the lease is lost.

    Raises:
        ConfigurationError: the address of Redis has a wrong form.
    """
    if not settings.redis:
        file_lease = FileLease(Path(settings.data_folder) / "worker.lock")
        try:
            yield file_lease
        finally:
            await file_lease.release()
        return
    async with redis_client(settings.redis) as client:
        lease = RedisLease(client, on_lost, USUAL_TIMES)
        try:
            yield lease
        finally:
            await lease.release()


async def _until(lost: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do some work until it ends or the lease is lost."""
    tasks = [asyncio.create_task(work, name="worker"), asyncio.create_task(lost.wait(), name="lost lease")]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if not tasks[0].cancelled():
        tasks[0].result()
