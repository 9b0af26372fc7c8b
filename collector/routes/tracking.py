"""Routes that take events in the shape of Segment's HTTP Tracking API."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from litestar import Response, post
from litestar.exceptions import InternalServerException

from collector.banners.banner import Browser, as_json
from collector.errors import RequestError, too_large
from collector.ingest import Acknowledgement
from collector.intake.body import Batch, read_batch, read_single, write_key
from collector.intake.draft import Drop, Receipt
from collector.parts import CollectorParts, CurrentParts
from collector.routes.direct_call import DirectCall
from collector.routes.guards import AnyRequest, admit, objects_to_tracking, read_headers
from collector.sites import Site
from warehouse.limits import MAX_BODY_BYTES

_SINGLE_PATHS: Final = [f"/v1/{kind}" for kind in ("track", "identify", "page", "screen", "group", "alias")]


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to a batch whose events are on disk.

    Args:
        success: always true; a batch that was not kept is answered with an error.
        token: opens the browser's stream; only when the batch is one browser's.
        messages: banners that waited for the browser.
        dropped: events that were not kept, with the reason of each.
    """

    success: bool
    token: str = ""
    messages: list[Any] = []
    dropped: list[Drop] = []


@post("/v1/batch", middleware=[DirectCall], summary="Take a batch of events", tags=["tracking"], status_code=200)
async def take_batch(request: AnyRequest, parts: CurrentParts) -> Response[bytes]:
    """Keep a batch of up to 2,500 messages; 200 means that they are on disk."""
    admit(request, parts)
    return await _keep(request, parts, read_batch(await _body(request)))


@post(_SINGLE_PATHS, middleware=[DirectCall], summary="Take one event", tags=["tracking"], status_code=200)
async def take_single(request: AnyRequest, parts: CurrentParts) -> Response[bytes]:
    """Keep one message of the type that the path names; 200 means that it is on disk."""
    admit(request, parts)
    kind = request.scope["path"].rsplit("/", 1)[1]
    return await _keep(request, parts, read_single(await _body(request), kind))


async def _keep(request: AnyRequest, parts: CollectorParts, batch: Batch) -> Response[bytes]:
    with parts.metrics.acknowledge_seconds.time():
        headers = read_headers(request)
        site, is_from_server = _sender(request, headers, parts, batch)
        receipt = _receipt(headers, parts, batch, is_from_server=is_from_server)
        acknowledgement = await parts.ingest.take(batch, site, receipt)
    return Response(msgspec.json.encode(_reply(parts, site, acknowledgement)), media_type="application/json")


async def _body(request: AnyRequest) -> bytes:
    chunks: list[bytes] = []
    left = MAX_BODY_BYTES
    while True:
        event = await request.receive()
        if event["type"] != "http.request":
            raise InternalServerException("client disconnected prematurely")
        chunks.append(event["body"])
        left -= len(event["body"])
        if left < 0:
            raise too_large(MAX_BODY_BYTES)
        if not event.get("more_body"):
            return b"".join(chunks)


def _sender(request: AnyRequest, headers: Mapping[str, str], parts: CollectorParts, batch: Batch) -> tuple[Site, bool]:
    """Return the site that a request is for, and whether the shop's server sent it."""
    query = request.scope["query_string"].decode("latin-1")
    key = write_key(headers, query, batch.write_key)
    site = parts.sites.with_key(key) if key else None
    if site is not None:
        _require_origin(site, headers)
        return site, False
    site = parts.sites.with_server_key(key) if key else None
    if site is None:
        message = "no site has this write key; copy it from [sites.NAME] in micromoment.toml into data-key"
        raise RequestError(HTTPStatus.UNAUTHORIZED, "unknown_write_key", message)
    _require_secrecy(headers, query, key)
    return site, True


def _require_origin(site: Site, headers: Mapping[str, str]) -> None:
    origin = headers.get("origin", "")
    if not site.allows(origin):
        message = f"pages of {origin[:200]} may not send for site {site.name}; add the origin to its `origins`"
        raise RequestError(HTTPStatus.FORBIDDEN, "origin_not_allowed", message)


def _require_secrecy(headers: Mapping[str, str], query: str, key: str) -> None:
    """Refuse a server key where others see it: in a page, or in an address, which servers and proxies write down."""
    if "origin" in headers or "sec-fetch-mode" in headers:
        place = "a page sent the server key, which is a secret: put the write key there"
    elif key in parse_qs(query).get("writeKey", ()):
        place = "the server key stands in the address: send it as the user of Basic auth, or in the body"
    else:
        return
    raise RequestError(HTTPStatus.FORBIDDEN, "server_key_exposed", f"{place}; then replace the key")


def _receipt(headers: Mapping[str, str], parts: CollectorParts, batch: Batch, *, is_from_server: bool) -> Receipt:
    header = parts.settings.country_header.lower()
    return Receipt(
        received_at=parts.now_ms(),
        sent_at=batch.sent_at,
        is_from_server=is_from_server,
        user_agent=headers.get("user-agent", ""),
        country=headers.get(header, "")[:2].upper() if header else "",
        opted_out=objects_to_tracking(headers),
    )


def _reply(parts: CollectorParts, site: Site, acknowledgement: Acknowledgement) -> Reply:
    if len(acknowledgement.anonymous_ids) != 1:
        return Reply(success=True, dropped=acknowledgement.drops)
    (anonymous_id,) = acknowledgement.anonymous_ids
    now_ms = parts.now_ms()
    return Reply(
        success=True,
        token=parts.tokens.issue(site.name, anonymous_id, now_ms),
        messages=as_json(parts.desk.collect(Browser(site.name, anonymous_id))),
        dropped=acknowledgement.drops,
    )
