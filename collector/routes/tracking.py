"""Routes that take events in the shape of Segment's HTTP Tracking API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Response, post

from collector.banners.banner import Browser, as_json
from collector.errors import RequestError
from collector.ingest import Acknowledgement
from collector.intake.body import Batch, decode_batch, decode_single, is_large, plain_json, read_outline, write_key
from collector.intake.draft import Drop, EventWarning, Receipt
from collector.parts import CollectorParts, CurrentParts
from collector.rate import batch_cost, visitors_cost
from collector.routes.cross_origin import read_by_pages_of
from collector.routes.direct_call import DirectCall
from collector.routes.guards import AnyRequest, admit, objects_to_tracking, read_headers, slow_down
from collector.routes.key_check import KeyHolder, find_holder, require_fit, require_holder, unknown_key
from collector.sites import Site, Sites
from warehouse.browser_id import is_proven
from warehouse.limits import MAX_LISTED

_SINGLE_PATHS: Final = [f"/v1/{kind}" for kind in ("track", "identify", "page", "screen", "group", "alias")]


class Reply(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The answer to a batch whose events are on disk.

    Args:
        success: always true; a batch that was not kept is answered with an error.
        token: opens the browser's stream; only when the batch is one browser's, which shows its secret.
        messages: banners that waited for the browser.
        dropped: events that were not kept, with the reason of each, the first `MAX_LISTED` of them.
        dropped_more: how many others were not kept.
        warnings: events that were kept, but not as they were sent, the first `MAX_LISTED` of them.
    """

    success: bool
    token: str = ""
    messages: list[Any] = []
    dropped: list[Drop] = []
    dropped_more: int = 0
    warnings: list[EventWarning] = []


#: Reads a JSON text as a batch.
Decode = Callable[[bytes], Batch]


@post("/v1/batch", middleware=[DirectCall], summary="Take a batch of events", tags=["tracking"], status_code=200)
async def take_batch(request: AnyRequest, parts: CurrentParts) -> Response[bytes]:
    """Keep a batch of up to 2,500 messages; 200 means that they are on disk."""
    return await _take(request, parts, decode_batch)


@post(_SINGLE_PATHS, middleware=[DirectCall], summary="Take one event", tags=["tracking"], status_code=200)
async def take_single(request: AnyRequest, parts: CurrentParts) -> Response[bytes]:
    """Keep one message of the type that the path names; 200 means that it is on disk."""
    kind = request.scope["path"].rstrip("/").rsplit("/", 1)[1]
    return await _take(request, parts, partial(decode_single, message_type=kind))


async def _take(request: AnyRequest, parts: CollectorParts, decode: Decode) -> Response[bytes]:
    """Let a request in, read it and keep its events: what can be refused before something costly, is."""
    headers = read_headers(request)
    query = request.scope["query_string"].decode("latin-1")
    stated = write_key(headers, query, None)
    # A key that stands in the body is known once that is read.
    holder = find_holder(parts.sites, stated)
    address = _admit(request, parts, holder)
    if stated and holder is None:
        raise unknown_key()
    body = await parts.bounds.bodies.read(request.receive, address)
    sender = _Sender(request, parts, address, headers, query)
    if not is_large(body):
        plain = plain_json(body)
        return await sender.keep(decode(plain), len(plain))
    async with parts.bounds.large.turn(address):
        sender.charge(0)
        batch, size = await parts.bounds.large.decode(_read_large, body, decode, None if holder else parts.sites)
        return await sender.keep(batch, size)


def _admit(request: AnyRequest, parts: CollectorParts, holder: KeyHolder | None) -> str:
    """Count a request against its address and return that; a shop's server is counted against its site alone."""
    if holder is not None and holder.is_server:
        return f"server of {holder.site.name}"
    return admit(request, parts)


def _read_large(body: bytes, decode: Decode, sites: Sites | None) -> tuple[Batch, int]:
    """Return the batch of a large body and the size of its JSON; where it must bring a key, that is looked at first."""
    plain = plain_json(body)
    if sites is not None:
        require_holder(sites, read_outline(plain) or "")
    return decode(plain), len(plain)


class _Sender:
    """Who sends a request: keeps what it brought, at the cost of its address and of its site."""

    def __init__(
        self, request: AnyRequest, parts: CollectorParts, address: str, headers: Mapping[str, str], query: str
    ) -> None:
        self._request = request
        self._parts = parts
        self._address = address
        self._headers = headers
        self._query = query

    def charge(self, cost: float) -> None:
        """Count what the request costs against its address.

        Raises:
            RequestError: 429, the address owes already.
        """
        if wait := self._parts.rate.charge(self._address, self._parts.now_ms(), cost):
            raise slow_down(wait)

    async def keep(self, batch: Batch, size: int) -> Response[bytes]:
        """Keep the events of a batch, whose JSON has so many bytes, and return the answer."""
        parts = self._parts
        with parts.metrics.acknowledge_seconds.time():
            holder = require_holder(parts.sites, write_key(self._headers, self._query, batch.write_key))
            read_by_pages_of(self._request.scope, holder.site)
            require_fit(holder, self._headers, self._query)
            self._charge_all(holder, batch_cost(len(batch.batch), size))
            receipt = self._receipt(batch, holder)
            acknowledgement = await parts.ingest.take(batch, holder.site, receipt)
            if not holder.is_server:
                parts.rate.owe(self._address, parts.now_ms(), visitors_cost(acknowledgement.visitors))
        reply = _reply(parts, holder.site, acknowledgement, receipt.browser_secret)
        return Response(msgspec.json.encode(reply), media_type="application/json")

    def _charge_all(self, holder: KeyHolder, cost: float) -> None:
        if not holder.is_server:
            self.charge(cost)
        if wait := self._parts.bounds.site_rate.wait_seconds(holder.site.name, self._parts.now_ms(), 1 + cost):
            message = f"site {holder.site.name} sends more than it may; wait {wait} s"
            raise RequestError(HTTPStatus.TOO_MANY_REQUESTS, "site_too_busy", message, wait)

    def _receipt(self, batch: Batch, holder: KeyHolder) -> Receipt:
        parts, headers = self._parts, self._headers
        header = parts.settings.country_header.lower()
        now_ms, max_age_ms = parts.now_ms(), parts.bounds.event_max_age_ms
        return Receipt(
            received_at=now_ms,
            sent_at=batch.sent_at,
            is_from_server=holder.is_server,
            browser_secret=batch.browser_secret if isinstance(batch.browser_secret, str) else "",
            user_agent=headers.get("user-agent", ""),
            country=headers.get(header, "")[:2].upper() if header else "",
            opted_out=objects_to_tracking(headers),
            oldest=now_ms - max_age_ms if max_age_ms else 0,
        )


def _reply(parts: CollectorParts, site: Site, acknowledgement: Acknowledgement, secret: str) -> Reply:
    """Return the answer to a batch; what is a browser's goes only to who shows its secret."""
    drops = acknowledgement.drops
    reply = Reply(
        success=True,
        dropped=drops[:MAX_LISTED],
        dropped_more=max(0, len(drops) - MAX_LISTED),
        warnings=acknowledgement.warnings[:MAX_LISTED],
    )
    anonymous_id = next(iter(acknowledgement.anonymous_ids), "")
    if len(acknowledgement.anonymous_ids) != 1 or not is_proven(anonymous_id, secret):
        return reply
    return msgspec.structs.replace(
        reply,
        token=parts.tokens.issue(site.name, anonymous_id, parts.now_ms()),
        messages=as_json(parts.desk.collect(Browser(site.name, anonymous_id))),
    )
