"""Route of server-sent events: the banners of one browser, as they are decided."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from litestar import Response, get
from litestar.params import FromQuery
from litestar.types import ASGIApp, HTTPResponseStartEvent, Receive, Scope, Send

from collector.banners.banner import Browser
from collector.banners.desk import BannerDesk, TooManyStreams
from collector.banners.open_stream import OpenStream
from collector.errors import RequestError
from collector.parts import CurrentParts

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
    """

    def __init__(self, desk: BannerDesk, browser: Browser, stream: OpenStream) -> None:
        super().__init__(b"")
        self._desk = desk
        self._browser = browser
        self._stream = stream

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


@get("/v1/stream", summary="Listen for banners", tags=["stream"], media_type="text/event-stream")
async def listen(parts: CurrentParts, token: FromQuery[str]) -> BannerStream:
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
    return BannerStream(parts.desk, browser, stream)
