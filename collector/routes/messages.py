"""What messages lead to: the picture that says that a message was opened, and the links that count a click."""

from __future__ import annotations

import base64
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from litestar import HttpMethod, Request, Response, route
from litestar.params import FromPath

from collector.errors import RequestError
from collector.feedback.fetcher import fetched_ahead, fetcher_kind
from collector.feedback.message_link import read_link
from collector.feedback.message_report import clicked, opened
from collector.feedback.plain_pages import not_found
from collector.intake.context import Client, parse_user_agent
from collector.parts import CollectorParts, CurrentParts
from collector.routes.tracking import admit
from collector.sites import Site
from warehouse.errors import SpoolError
from warehouse.event import EventRow

_AnyRequest = Request[Any, Any, Any]

#: One transparent pixel, in 43 bytes.
PIXEL: Final = base64.b64decode("R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
_METHODS: Final = [HttpMethod.GET, HttpMethod.HEAD]
#: Nobody's cache may answer in our place, and nobody learns the address that somebody came by.
_HEADERS: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
#: What may stand in an address as it is; all else is written in percent.
_ADDRESS_CHARACTERS: Final = "!#$%&'()*+,/:;=?@[]~"


@route("/v1/o/{name:str}", http_method=_METHODS, summary="Say that a message was opened", tags=["messages"])
async def take_open(request: _AnyRequest, parts: CurrentParts, name: FromPath[str]) -> Response[bytes]:
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
async def take_click(request: _AnyRequest, parts: CurrentParts, name: FromPath[str]) -> Response[bytes]:
    """Lead on to the address that was signed into the link, and keep `email_clicked`.

    The reader is led on whatever becomes of the event; HEAD and what a browser fetches ahead make none.
    """
    link = read_link(parts, name, "click")
    if link is None:
        return not_found()
    if request.method == HttpMethod.GET and not fetched_ahead(request.headers):
        client, machine = _client(request)
        await _keep(request, parts, link.site, clicked(link, parts.now_ms(), client, machine=machine))
    headers = {"Location": quote(link.token.target, safe=_ADDRESS_CHARACTERS), **_HEADERS}
    return Response(b"", status_code=HTTPStatus.FOUND, media_type="text/plain", headers=headers)


def _client(request: _AnyRequest) -> tuple[Client, bool]:
    """Return what the reader's machine is, as far as it is the reader's, and whether it is nobody's."""
    agent = request.headers.get("user-agent", "")[:512]
    kind = fetcher_kind(agent)
    return parse_user_agent(agent) if kind == "person" else Client(), kind == "machine"


async def _keep(request: _AnyRequest, parts: CollectorParts, site: Site, row: EventRow) -> None:
    """Keep an event, or count why it was not kept."""
    objects = request.headers.get("sec-gpc") == "1" or request.headers.get("dnt") == "1"
    # Where a site asks first, only who said yes was sent this address, and an explicit word outweighs the browser's.
    if objects and site.consent == "opt-out":
        parts.metrics.message_events_lost.labels(row.event, "no_consent").inc()
        return
    try:
        admit(request, parts)
        await parts.ingest.keep(site, row, parts.now_ms())
    except RequestError as error:
        parts.metrics.message_events_lost.labels(row.event, error.code).inc()
    except SpoolError:
        parts.metrics.message_events_lost.labels(row.event, "spool").inc()
