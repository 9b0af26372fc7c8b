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
from collector.intake.body import Batch, MendedBatch, decode_batch, decode_single, read_outline, write_key
from collector.intake.draft import Drop, EventWarning, Receipt
from collector.intake.unwrapping import expected_size, plain_json, small_json
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


class Reading(msgspec.Struct, frozen=True):
    """How the bodies of a group of routes are read.

    Args:
        decode: reads a JSON text as a batch.
        find_key: returns the key of a JSON text without reading its messages.
        key: the key that stands where only these routes look for it, '' for none.
    """

    decode: Decode
    find_key: Callable[[bytes], str | None] = read_outline
    key: str = ""


class Kept(msgspec.Struct, frozen=True):
    """The events of a request, once they are on disk.

    Args:
        site: whose they are.
        batch: as it was read.
        acknowledgement: what became of them.
        browser_secret: what the sender shows as the secret of its browser.
    """

    site: Site
    batch: Batch
    acknowledgement: Acknowledgement
    browser_secret: str


@post("/v1/batch", middleware=[DirectCall], summary="Take a batch of events", tags=["tracking"], status_code=200)
async def take_batch(request: AnyRequest, parts: CurrentParts) -> Response[bytes]:
    """Keep a batch of up to 2,500 messages; 200 means that they are on disk."""
    return await take_events(request, parts, decode_batch)


@post(_SINGLE_PATHS, middleware=[DirectCall], summary="Take one event", tags=["tracking"], status_code=200)
async def take_single(request: AnyRequest, parts: CurrentParts) -> Response[bytes]:
    """Keep one message of the type that the path names; 200 means that it is on disk."""
    kind = request.scope["path"].rstrip("/").rsplit("/", 1)[1]
    return await take_events(request, parts, partial(decode_single, message_type=kind))


async def take_events(request: AnyRequest, parts: CollectorParts, decode: Decode) -> Response[bytes]:
    """Let a request in, read it, keep its events and return the answer.

    Args:
        request: of a sender, whose key it brings.
        parts: those of the collector.
        decode: reads its JSON.

    Raises:
        RequestError: it is not taken; the message says why.
    """
    reply = reply_to(parts, await take(request, parts, Reading(decode)))
    return Response(msgspec.json.encode(reply), media_type="application/json")


async def take(request: AnyRequest, parts: CollectorParts, reading: Reading) -> Kept:
    """Let a request in, read it and keep its events: what can be refused before something costly, is.

    Raises:
        RequestError: it is not taken; the message says why.
    """
    headers = read_headers(request)
    query = request.scope["query_string"].decode("latin-1")
    stated = reading.key or write_key(headers, query, None)
    # A key that stands in the body is known once that is read.
    holder = find_holder(parts.sites, stated)
    # A shop's server is counted against its site alone.
    address = "" if holder is not None and holder.is_server else admit(request, parts)
    if stated and holder is None:
        raise unknown_key()
    body = await parts.bounds.bodies.read(request.receive, address or stated)
    sender = _Sender(request, parts, address, headers, query)
    plain = small_json(body)
    if plain is not None:
        batch = reading.decode(plain)
        sender.charge(batch_cost(len(batch.batch), len(plain)))
        return await sender.keep(batch)
    async with parts.bounds.large.turn(address or stated):
        # Its size is paid for whatever becomes of it: to refuse it, it has to be inflated and read.
        sender.charge(batch_cost(0, size := expected_size(body)))
        plain = await parts.bounds.large.decode(plain_json, body)
        # Not every body says how large it will be.
        sender.owe(batch_cost(0, len(plain)) - batch_cost(0, min(size, len(plain))))
        batch = await parts.bounds.large.decode(_read_large, plain, reading, None if holder else parts.sites)
        sender.owe(batch_cost(len(batch.batch), 0))
        return await sender.keep(batch)


def _read_large(plain: bytes, reading: Reading, sites: Sites | None) -> Batch:
    """Return the batch of a large text; where it must bring a key, that is looked at first."""
    if sites is not None:
        require_holder(sites, reading.find_key(plain) or "")
    return reading.decode(plain)


class _Sender:
    """Keeps what a request brought, at the cost of its address, which is '' for a shop's server, and of its site."""

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
        if not self._address:
            return
        if wait := self._parts.rate.charge(self._address, self._parts.now_ms(), cost):
            raise slow_down(wait)

    def owe(self, cost: float) -> None:
        """Count what the request turned out to cost against its address."""
        if self._address:
            self._parts.rate.owe(self._address, self._parts.now_ms(), cost)

    async def keep(self, batch: Batch) -> Kept:
        """Keep the events of a batch."""
        parts = self._parts
        with parts.metrics.acknowledge_seconds.time():
            holder = require_holder(parts.sites, write_key(self._headers, self._query, batch.write_key))
            read_by_pages_of(self._request.scope, holder.site)
            require_fit(holder, self._headers, self._query)
            self._charge_site(holder, 1 + batch_cost(len(batch.batch), 0))
            receipt = self._receipt(batch, holder)
            acknowledgement = await parts.ingest.take(batch, holder.site, receipt)
            self.owe(visitors_cost(acknowledgement.visitors))
        return Kept(holder.site, batch, acknowledgement, receipt.browser_secret)

    def _charge_site(self, holder: KeyHolder, cost: float) -> None:
        if wait := self._parts.bounds.site_rate.wait_seconds(holder.site.name, self._parts.now_ms(), cost):
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
            repairs=batch.repairs if isinstance(batch, MendedBatch) else (),
        )


def reply_to(parts: CollectorParts, kept: Kept) -> Reply:
    """Return the answer to a batch; what is a browser's goes only to who shows its secret."""
    acknowledgement = kept.acknowledgement
    drops = acknowledgement.drops
    reply = Reply(
        success=True,
        dropped=drops[:MAX_LISTED],
        dropped_more=max(0, len(drops) - MAX_LISTED),
        warnings=acknowledgement.warnings[:MAX_LISTED],
    )
    anonymous_id = next(iter(acknowledgement.anonymous_ids), "")
    if len(acknowledgement.anonymous_ids) != 1 or not is_proven(anonymous_id, kept.browser_secret):
        return reply
    return msgspec.structs.replace(
        reply,
        token=parts.tokens.issue(kept.site.name, anonymous_id, parts.now_ms()),
        messages=as_json(parts.desk.collect(Browser(kept.site.name, anonymous_id))),
    )
