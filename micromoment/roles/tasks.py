"""Background work that belongs to a block."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

_log = structlog.get_logger("micromoment.roles.tasks")


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """Run something beside the block, and stop it when the block ends.

    Work that fails stops the block: nothing goes on with one of its parts silently dead.
    """
    owner = asyncio.current_task()
    failure: list[BaseException] = []
    leaving = False

    def stop_owner(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not leaving and owner is not None:
            failure.append(error)
            _log.error("part_failed", part=name, error=repr(error))
            owner.cancel()

    task = asyncio.create_task(work, name=name)
    task.add_done_callback(stop_owner)
    try:
        yield
    except asyncio.CancelledError:
        if failure:
            raise failure[0] from None
        raise
    finally:
        leaving = True
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
