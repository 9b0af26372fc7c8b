"""Routes that a reader's device calls for a message: the picture of an email, counted links, and notifications."""

from __future__ import annotations

import base64
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import msgspec
from litestar import HttpMethod, Response, get, post, route
from litestar.params import FromPath, FromQuery

from collector.errors import RequestError, malformed
from collector.feedback.callbacks import message_event
from collector.feedback.message_links import clicked, fetched_ahead, fetcher_kind, opened
from collector.feedback.plain_pages import not_found
from collector.intake.context import Client, parse_user_agent
from collector.parts import CollectorParts, CurrentParts
from collector.routes.guards import AnyRequest, admit, objects_to_tracking, read_link, require_link
from collector.sites import Site
from warehouse.errors import JournalError
from warehouse.event import EventRow

#: One transparent pixel, in 43 bytes.
PIXEL: Final = base64.b64decode("R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
_METHODS: Final = [HttpMethod.GET, HttpMethod.HEAD]
#: No cache may answer in our place, and no other site learns the signed address.
_HEADERS: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
#: Characters that stay in an address as they are; all others are written in percent.
_ADDRESS_CHARACTERS: Final = "!#$%&'()*+,/:;=?@[]~"
#: Reports of a service worker, with our events.
_EVENT_OF_REPORT: Final = {"shown": "message_shown", "clicked": "message_clicked", "dismissed": "message_dismissed"}


class PushKey(msgspec.Struct, frozen=True):
    """The public key with which browsers subscribe, base64url."""

    key: str


@route("/v1/o/{name:str}", http_method=_METHODS, summary="Say that a message was opened", tags=["messages"])
async def take_open(request: AnyRequest, parts: CurrentParts, name: FromPath[str]) -> Response[bytes]:
    """Answer with a picture of one pixel, and keep `email_opened`.

    The picture comes whatever becomes of the event; HEAD makes no event.
    """
    link = read_link(parts, name.removesuffix(".gif"), "open")
    if link is None:
        return not_found()
    if request.method == HttpMethod.GET:
        client, machine = _client(request)
        await _keep(request, parts, link.site, opened(link, parts.now_ms(), client, machine=machine))
    return Response(PIXEL, media_type="image/gif", headers=_HEADERS)


@route("/v1/c/{name:str}", http_method=_METHODS, summary="Follow a link of a message", tags=["messages"])
async def take_click(request: AnyRequest, parts: CurrentParts, name: FromPath[str]) -> Response[bytes]:
    """Redirect to the address that was signed into the link, and keep `email_clicked`.

    The redirect comes whatever becomes of the event; HEAD makes no event, nor does a browser that fetches ahead.
    """
    link = read_link(parts, name, "click")
    if link is None:
        return not_found()
    if request.method == HttpMethod.GET and not fetched_ahead(request.headers):
        client, machine = _client(request)
        await _keep(request, parts, link.site, clicked(link, parts.now_ms(), client, machine=machine))
    headers = {"Location": quote(link.token.target, safe=_ADDRESS_CHARACTERS), **_HEADERS}
    return Response(b"", status_code=HTTPStatus.FOUND, media_type="text/plain", headers=headers)


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
    if event not in _EVENT_OF_REPORT:
        raise malformed(f"event is one of {', '.join(_EVENT_OF_REPORT)}")
    row = message_event(_EVENT_OF_REPORT[event], link.token, link.site, parts.now_ms())
    await parts.ingest.keep(link.site, row, parts.now_ms())
    return {"success": True}


def _client(request: AnyRequest) -> tuple[Client, bool]:
    """Return the reader's device, unknown unless a person's browser asks, and whether a machine asks."""
    agent = request.headers.get("user-agent", "")[:512]
    kind = fetcher_kind(agent)
    return parse_user_agent(agent) if kind == "person" else Client(), kind == "machine"


async def _keep(request: AnyRequest, parts: CollectorParts, site: Site, row: EventRow) -> None:
    """Keep an event, or count the reason why it was not kept."""
    # Where a site asks first, only a visitor who agreed was sent this address, and that answer outweighs the browser's.
    if objects_to_tracking(request.headers) and site.consent == "opt-out":
        parts.metrics.message_events_lost.labels(row.event, "no_consent").inc()
        return
    try:
        admit(request, parts)
        await parts.ingest.keep(site, row, parts.now_ms())
    except RequestError as error:
        parts.metrics.message_events_lost.labels(row.event, error.code).inc()
    except JournalError:
        parts.metrics.message_events_lost.labels(row.event, "journal").inc()
