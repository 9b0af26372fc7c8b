"""Route of server-sent events: the banners of one browser, as they are decided."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Final

from litestar import Response, get
from litestar.types import ASGIApp, HTTPResponseStartEvent, Receive, Scope, Send

from collector.banners.banner import Browser
from collector.banners.desk import BannerDesk, TooManyStreams
from collector.banners.open_stream import OpenStream
from collector.errors import RequestError
from collector.parts import CurrentParts
from collector.routes.cross_origin import read_by_pages_of
from collector.routes.guards import AnyRequest, admit

_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"connection", b"keep-alive"),
    (b"x-accel-buffering", b"no"),
    (b"content-type", b"text/event-stream; charset=utf-8"),
)


class BannerStream(Response[bytes]):
    """The answer to a page that listens: goes on until the page leaves.

    An answer of Litestar's own is two tasks, a thread's call and a generator for each page.

    Args:
        desk: opened the stream, and closes it.
        browser: whose page it is.
        stream: the page's.
        left: called when it ends.
    """

    def __init__(self, desk: BannerDesk, browser: Browser, stream: OpenStream, left: Callable[[], None]) -> None:
        super().__init__(b"")
        self._desk = desk
        self._browser = browser
        self._stream = stream
        self._left = left

    def to_asgi_response(self, *_: object, **__: object) -> ASGIApp:  # type: ignore[override]  # it will do
        """Return the application that answers with the stream."""
        return self._run

    async def _run(self, _: Scope, receive: Receive, send: Send) -> None:
        start: HTTPResponseStartEvent = {
            "type": "http.response.start",
            "status": HTTPStatus.OK,
            "headers": list(_HEADERS),
        }
        try:
            await self._stream.run(start, receive, send)
        finally:
            self._desk.close(self._browser, self._stream)
            self._left()


@get("/v1/stream", summary="Listen for banners", tags=["stream"], media_type="text/event-stream")
async def listen(request: AnyRequest, parts: CurrentParts) -> BannerStream:
    """Send the browser's unshown banners, then each new one, with a heartbeat in between.

    The token is in the header `Authorization: Bearer`, because addresses are written into logs. A page that connects
    again gets every banner that was not shown meanwhile, so `Last-Event-ID` is not needed.
    """
    address = admit(request, parts)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    listener = parts.tokens.check(token.strip(), parts.now_ms()) if scheme.lower() == "bearer" else None
    site = parts.sites.named(listener.site) if listener is not None else None
    if listener is None or site is None:
        message = "no valid token in Authorization: Bearer; the reply to a browser's next batch has a new one"
        raise RequestError(HTTPStatus.UNAUTHORIZED, "bad_token", message)
    read_by_pages_of(request.scope, site)
    browser = Browser(listener.site, listener.anonymous_id)
    parts.bounds.streams.enter(address)
    try:
        stream = parts.desk.open(browser)
    except TooManyStreams as error:
        parts.bounds.streams.leave(address)
        message = "this visitor has too many open pages"
        raise RequestError(HTTPStatus.TOO_MANY_REQUESTS, "too_many_streams", message, 60) from error
    return BannerStream(parts.desk, browser, stream, partial(parts.bounds.streams.leave, address))
