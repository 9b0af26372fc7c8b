"""Route of server-sent events: the banners of one browser, as they are decided."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final

import structlog
from litestar import get
from litestar.params import FromQuery
from litestar.response import ServerSentEvent, ServerSentEventMessage

from collector.banners.desk import Banner, Browser, Stream, TooManyStreams, unshown_banners
from collector.errors import RequestError
from collector.parts import CollectorParts, CurrentParts
from warehouse.errors import WarehouseError

_RECONNECT_AFTER_MS: Final = 2000

_log = structlog.get_logger("collector.stream")


@get("/v1/stream", summary="Listen for banners", tags=["stream"], media_type="text/event-stream")
async def listen(parts: CurrentParts, token: FromQuery[str]) -> ServerSentEvent:
    """Send the browser's unshown banners, then each new one, with a heartbeat in between.

    A page that connects again gets every banner that was not shown meanwhile, so `Last-Event-ID` is not needed.
    """
    listener = parts.tokens.check(token, parts.now_ms())
    if listener is None:
        message = "the token is not valid (any more); the reply to the next batch has a new one"
        raise RequestError(HTTPStatus.UNAUTHORIZED, "bad_token", message)
    browser = Browser(listener.site, listener.anonymous_id)
    try:
        stream = parts.desk.open(browser)
    except TooManyStreams as error:
        message = "this visitor has too many open pages"
        raise RequestError(HTTPStatus.TOO_MANY_REQUESTS, "too_many_streams", message, 60) from error
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return ServerSentEvent(_events(parts, browser, stream), headers=headers)


async def _events(parts: CollectorParts, browser: Browser, stream: Stream) -> AsyncIterator[ServerSentEventMessage]:
    try:
        yield ServerSentEventMessage(data=None, comment="open", retry=_RECONNECT_AFTER_MS)
        waiting = [*await _unshown(parts, browser), *parts.desk.collect(browser, parts.now_ms())]
        for unshown in {banner.message_id: banner for banner in waiting}.values():
            yield _event(unshown)
        while True:
            try:
                banner = await asyncio.wait_for(stream.get(), parts.settings.heartbeat_seconds)
            except TimeoutError:
                yield ServerSentEventMessage(data=None, comment="heartbeat")
                continue
            if banner is None:
                return
            yield _event(banner)
    finally:
        parts.desk.close(browser, stream)


async def _unshown(parts: CollectorParts, browser: Browser) -> list[Banner]:
    try:
        return await asyncio.to_thread(unshown_banners, parts.warehouse, browser, parts.now_ms())
    except WarehouseError as error:
        _log.warning("unshown_banners_unknown", error=error.message, remedy=error.hint)
        return []


def _event(banner: Banner) -> ServerSentEventMessage:
    return ServerSentEventMessage(data=banner.payload.decode(), event="banner", id=banner.message_id)
