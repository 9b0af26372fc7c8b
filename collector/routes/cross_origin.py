"""Lets pages of other origins send requests and read the answers (CORS)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

_METHODS: Final = ("GET", "OPTIONS", "POST")
#: Those that the SDKs of Segment, RudderStack and Jitsu send, and ours.
_HEADERS: Final = (
    "anonymousid",
    "authorization",
    "content-encoding",
    "content-type",
    "sentat",
    "x-retry-count",
    "x-write-key",
)
#: Those that a page may send without asking.
_SAFE_HEADERS: Final = ("accept", "accept-language", "content-language", "content-type")
_MAX_AGE_SECONDS: Final = 900

_Headers = list[tuple[bytes, bytes]]


class CrossOrigin:
    """Answers the questions of browsers, and adds to every other answer which origin may read it.

    It stands before everything else, so that pages can read errors, too. `*` is answered with the page's own origin:
    browsers refuse a plain `*` for requests with credentials, as some SDKs make them. No cookie means anything here, so
    nothing is given away.

    Args:
        app: answers the requests.
        origins: pages that may read the answers; `*`, or none at all, for every page.
    """

    def __init__(self, app: ASGIApp, origins: list[str]) -> None:
        self._app = app
        self._origins = None if "*" in origins or not origins else frozenset(origins)
        self._readable = _encoded(
            {
                "access-control-allow-credentials": "true",
                "access-control-expose-headers": "retry-after",
                "access-control-allow-headers": ", ".join(_HEADERS),
                "access-control-allow-methods": ", ".join(_METHODS),
            }
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        origin = _header(scope, b"origin")
        if scope["type"] != ScopeType.HTTP or origin is None:
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await self._answer(scope, origin, send)
        else:
            await self._pass_on(scope, origin, receive, send)

    async def _pass_on(self, scope: Scope, origin: bytes, receive: Receive, send: Send) -> None:
        named = [(b"access-control-allow-origin", origin), (b"vary", b"Origin")] if self._allows(origin) else []

        async def send_readable(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._readable, *named]
            await send(message)

        await self._app(scope, receive, send_readable)

    async def _answer(self, scope: Scope, origin: bytes, send: Send) -> None:
        refused = self._refused(scope, origin)
        if refused:
            text = f"Disallowed CORS {', '.join(refused)}".encode()
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(text))]
            await _send(send, HTTPStatus.BAD_REQUEST, headers, text)
            return
        allowed = {
            "access-control-max-age": str(_MAX_AGE_SECONDS),
            "vary": "Origin",
            "access-control-allow-credentials": "true",
            "access-control-allow-headers": ", ".join(sorted({*_HEADERS, *_SAFE_HEADERS})),
            "access-control-allow-methods": ", ".join(_METHODS),
        }
        named = [*_encoded(allowed), (b"access-control-allow-origin", origin)]
        await _send(send, HTTPStatus.NO_CONTENT, named, b"")

    def _refused(self, scope: Scope, origin: bytes) -> list[str]:
        """Return what a page may not do of what it asks for."""
        method = _header(scope, b"access-control-request-method")
        asked = (_header(scope, b"access-control-request-headers") or b"").decode("latin-1").lower().split(",")
        headers = {name.strip() for name in asked if name.strip()}
        allowed = {
            "method": not method or method.decode("latin-1") in _METHODS,
            "Origin": self._allows(origin),
            "headers": headers <= {*_HEADERS, *_SAFE_HEADERS},
        }
        return [what for what, is_allowed in allowed.items() if not is_allowed]

    def _allows(self, origin: bytes) -> bool:
        return self._origins is None or origin.decode("latin-1") in self._origins


def _header(scope: Scope, wanted: bytes) -> bytes | None:
    return next((value for name, value in scope["headers"] if name == wanted), None)


def _encoded(headers: dict[str, str]) -> _Headers:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


async def _send(send: Send, status: HTTPStatus, headers: _Headers, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
