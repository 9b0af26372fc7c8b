"""Web push, as pages and service workers see it: the key to subscribe with, and what became of a notification."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath, FromQuery

from collector.errors import RequestError, malformed
from collector.feedback.callback_event import message_event
from collector.feedback.message_link import read_link
from collector.parts import CurrentParts
from collector.routes.tracking import admit

_AnyRequest = Request[Any, Any, Any]
_EVENTS: Final = {"shown": "message_shown", "clicked": "message_clicked", "dismissed": "message_dismissed"}


class PushKey(msgspec.Struct, frozen=True):
    """The public key that browsers subscribe with, base64url."""

    key: str


@get("/v1/push/key", summary="The key to subscribe to notifications with", tags=["push"])
async def push_key(parts: CurrentParts) -> PushKey:
    """Return the public key of this collector's pushes."""
    return PushKey(parts.settings.push_public_key)


@post("/v1/callbacks/push/{token:str}", status_code=HTTPStatus.OK, summary="Report a notification", tags=["push"])
async def take_push_report(
    request: _AnyRequest, parts: CurrentParts, token: FromPath[str], event: FromQuery[str]
) -> dict[str, bool]:
    """Keep that a notification was shown, clicked or dismissed, as its service worker says."""
    admit(request, parts)
    link = read_link(parts, token, "push")
    if link is None:
        raise RequestError(HTTPStatus.NOT_FOUND, "unknown_message", "the address names no message of this collector")
    if event not in _EVENTS:
        raise malformed(f"event is one of {', '.join(_EVENTS)}")
    row = message_event(_EVENTS[event], link.token, link.site, parts.now_ms())
    await parts.ingest.keep(link.site, row, parts.now_ms())
    return {"success": True}
