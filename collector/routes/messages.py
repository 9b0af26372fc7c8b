"""Routes that messages lead to: the picture that tells of an opening, and the links that count a click."""

from __future__ import annotations

import base64
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from litestar import HttpMethod, Response, route
from litestar.params import FromPath

from collector.errors import RequestError
from collector.feedback.message_links import clicked, fetched_ahead, fetcher_kind, opened
from collector.feedback.plain_pages import not_found
from collector.intake.context import Client, parse_user_agent
from collector.parts import CollectorParts, CurrentParts
from collector.routes.guards import AnyRequest, admit, objects_to_tracking, read_link
from collector.sites import Site
from warehouse.errors import SpoolError
from warehouse.event import EventRow

#: One transparent pixel, in 43 bytes.
PIXEL: Final = base64.b64decode("R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
_METHODS: Final = [HttpMethod.GET, HttpMethod.HEAD]
#: Nobody's cache may answer in our place, and nobody learns the address that somebody came by.
_HEADERS: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
#: What may stand in an address as it is; all else is written in percent.
_ADDRESS_CHARACTERS: Final = "!#$%&'()*+,/:;=?@[]~"


@route("/v1/o/{name:str}", http_method=_METHODS, summary="Say that a message was opened", tags=["messages"])
async def take_open(request: AnyRequest, parts: CurrentParts, name: FromPath[str]) -> Response[bytes]:
    """Answer with a picture of one pixel, and keep `email_opened`.

    The picture comes whatever becomes of the event; HEAD makes none.
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

    The redirect comes whatever becomes of the event; HEAD and what a browser fetches ahead make none.
    """
    link = read_link(parts, name, "click")
    if link is None:
        return not_found()
    if request.method == HttpMethod.GET and not fetched_ahead(request.headers):
        client, machine = _client(request)
        await _keep(request, parts, link.site, clicked(link, parts.now_ms(), client, machine=machine))
    headers = {"Location": quote(link.token.target, safe=_ADDRESS_CHARACTERS), **_HEADERS}
    return Response(b"", status_code=HTTPStatus.FOUND, media_type="text/plain", headers=headers)


def _client(request: AnyRequest) -> tuple[Client, bool]:
    """Return the reader's device, unknown unless a person's browser asks, and whether a machine asks."""
    agent = request.headers.get("user-agent", "")[:512]
    kind = fetcher_kind(agent)
    return parse_user_agent(agent) if kind == "person" else Client(), kind == "machine"


async def _keep(request: AnyRequest, parts: CollectorParts, site: Site, row: EventRow) -> None:
    """Keep an event, or count the reason why it was not kept."""
    # Where a site asks first, only who said yes was sent this address, and an explicit word outweighs the browser's.
    if objects_to_tracking(request) and site.consent == "opt-out":
        parts.metrics.message_events_lost.labels(row.event, "no_consent").inc()
        return
    try:
        admit(request, parts)
        await parts.ingest.keep(site, row, parts.now_ms())
    except RequestError as error:
        parts.metrics.message_events_lost.labels(row.event, error.code).inc()
    except SpoolError:
        parts.metrics.message_events_lost.labels(row.event, "spool").inc()
