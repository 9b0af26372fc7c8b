"""Erases people for platforms: within the time that a platform waits for an answer, or later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import structlog

from collector.errors import RequestError

#: Erases a visitor of a site; the third argument is who asks.
Erase = Callable[[str, str, str], Awaitable[object]]
#: What platforms wait for an answer, less what the way takes.
PATIENCE_SECONDS: Final = 3.0
#: People who are being erased at the same time; others have to be asked for again.
MOST_UNDER_WAY: Final = 32
RETRY_AFTER_SECONDS: Final = 60
_log = structlog.get_logger("collector.platforms")


async def erase_nobody(_site: str, _visitor_id: str, _actor: str) -> None:
    """Refuse to erase: this collector was built without what erases.

    Raises:
        RequestError: always.
    """
    raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "busy", "nobody can be erased here", RETRY_AFTER_SECONDS)


class ErasureQueue:
    """Erases people for platforms, which ask again until they are told that it is done.

    Args:
        erase: erases a visitor.
        patience_seconds: for how long a request waits.
    """

    def __init__(self, erase: Erase = erase_nobody, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._erase = erase
        self._patience_seconds = patience_seconds
        self._under_way: dict[tuple[str, str], asyncio.Task[object]] = {}

    async def erase(self, site: str, visitor_id: str, actor: str) -> None:
        """Erase a visitor; what takes longer than the platform waits goes on, and is asked for again.

        Raises:
            RequestError: 503, it is not done yet.
            MicromomentError: it failed, and is to be asked for again.
        """
        task = self._task(site, visitor_id, actor)
        await asyncio.wait({task}, timeout=self._patience_seconds)
        if not task.done():
            message = "the person is being erased: ask again to hear that it is done"
            raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "erasing", message, RETRY_AFTER_SECONDS)
        task.result()

    def _task(self, site: str, visitor_id: str, actor: str) -> asyncio.Task[object]:
        key = (site, visitor_id)
        if (task := self._under_way.get(key)) is not None:
            return task
        if len(self._under_way) >= MOST_UNDER_WAY:
            message = "many people are being erased: ask again"
            raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "busy", message, RETRY_AFTER_SECONDS)
        task = asyncio.ensure_future(self._erase(site, visitor_id, actor))
        self._under_way[key] = task
        task.add_done_callback(lambda done: self._ended(key, done))
        return task

    def _ended(self, key: tuple[str, str], task: asyncio.Task[object]) -> None:
        del self._under_way[key]
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("erasure_failed", site=key[0], error=type(error).__name__, remedy="the platform asks again")
