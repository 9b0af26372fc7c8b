"""Routes of RudderStack's browser SDK, analytics-js, which is pointed here unmodified: see docs/senders.md."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import Response, get, post

from collector.intake.body import decode_batch, write_key
from collector.parts import CurrentParts
from collector.routes.cross_origin import read_by_pages_of
from collector.routes.direct_call import DirectCall
from collector.routes.guards import AnyRequest, admit, read_headers
from collector.routes.key_check import require_fit, require_holder
from collector.routes.sdk_paths import RUDDER_BEACON, RUDDER_CONFIG
from collector.routes.tracking import take_events

_KEPT: Final = {"Cache-Control": "private, max-age=300"}


@post(RUDDER_BEACON, middleware=[DirectCall], summary="Take a batch of a beacon", tags=["rudder"], status_code=200)
async def take_rudder_beacon(request: AnyRequest, parts: CurrentParts) -> Response[bytes]:
    """Keep a batch whose write key stands in the address, as beacons have no headers; 200 means that it is on disk."""
    return await take_events(request, parts, decode_batch)


@get(RUDDER_CONFIG, summary="The SDK's source", tags=["rudder"])
async def rudder_source(request: AnyRequest, parts: CurrentParts) -> Response[bytes]:
    """Tell the SDK that its source is enabled and has no destinations; without an answer it sends nothing."""
    admit(request, parts)
    headers, query = read_headers(request), request.scope["query_string"].decode("latin-1")
    key = write_key(headers, query, None)
    holder = require_holder(parts.sites, key)
    read_by_pages_of(request.scope, holder.site)
    require_fit(holder, headers, query)
    return Response(msgspec.json.encode(_source(key)), media_type="application/json", headers=_KEPT)


def _source(key: str) -> dict[str, Any]:
    """Return what RudderStack's own server answers for a source without destinations, whose SDK reports nothing."""
    silent = {"enabled": False}
    source = {
        "id": key,
        "name": "micromoment",
        "writeKey": key,
        "workspaceId": "micromoment",
        "enabled": True,
        "config": {"statsCollection": {"errors": silent, "metrics": silent}},
        "connections": [],
        "destinations": [],
        "dataplanes": {},
    }
    return {"source": source, "updatedAt": "1970-01-01T00:00:00.000Z"}
