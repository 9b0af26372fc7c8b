"""Calls a route's function without what Litestar does around it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from litestar import Request
from litestar.types import ASGIApp, Receive, Scope, Send

_JSON: Final = (b"content-type", b"application/json")


class DirectCall:
    """A middleware that calls the function of its route with the request and the parts, and sends the JSON it returns.

    For the routes that take events: reading arguments by their types and building an answer from its parts costs a
    request as much as reading its body. Routing, errors and the description of the API stay Litestar's.

    Args:
        app: does the same for functions of any shape; it is not called.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        response = await scope["route_handler"].fn(request, scope["litestar_app"].state.parts)
        headers = [_JSON, (b"content-length", b"%d" % len(response.content))]
        await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": headers})
        await send({"type": "http.response.body", "body": response.content, "more_body": False})
