"""Routes of web push: the key with which pages subscribe, and the reports of service workers on notifications."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery

from collector.errors import malformed
from collector.feedback.callbacks import message_event
from collector.parts import CurrentParts
from collector.routes.guards import AnyRequest, admit, require_link

_EVENTS: Final = {"shown": "message_shown", "clicked": "message_clicked", "dismissed": "message_dismissed"}


class PushKey(msgspec.Struct, frozen=True):
    """The public key with which browsers subscribe, base64url."""

    key: str


@get("/v1/push/key", summary="The key to subscribe to notifications with", tags=["push"])
async def push_key(parts: CurrentParts) -> PushKey:
    """Return the public key of this collector's notifications."""
    return PushKey(parts.settings.push_public_key)


@post("/v1/callbacks/push/{token:str}", status_code=HTTPStatus.OK, summary="Report a notification", tags=["push"])
async def take_push_report(
    request: AnyRequest, parts: CurrentParts, token: FromPath[str], event: FromQuery[str]
) -> dict[str, bool]:
    """Keep the event that a notification was shown, clicked or dismissed, as its service worker reports."""
    admit(request, parts)
    link = require_link(parts, token, "push")
    if event not in _EVENTS:
        raise malformed(f"event is one of {', '.join(_EVENTS)}")
    row = message_event(_EVENTS[event], link.token, link.site, parts.now_ms())
    await parts.ingest.keep(link.site, row, parts.now_ms())
    return {"success": True}
