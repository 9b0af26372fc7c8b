"""Routes of Segment's browser SDK, analytics-next, which is pointed here unmodified: see docs/senders.md."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from collector.intake.body import decode_batch, decode_single
from collector.parts import CurrentParts
from collector.routes.cross_origin import read_by_pages_of
from collector.routes.direct_call import DirectCall
from collector.routes.guards import AnyRequest, admit, read_headers
from collector.routes.key_check import require_fit, require_holder
from collector.routes.posthog import refuse_recording
from collector.routes.sdk_paths import (
    POSTHOG_RECORDINGS,
    SEGMENT_BATCH,
    SEGMENT_FIGURES,
    SEGMENT_SETTINGS,
    SEGMENT_SINGLE,
    TYPE_OF_LETTER,
)
from collector.routes.tracking import take_events

#: A page asks once; what it is told changes with the collector's own address.
_KEPT: Final = {"Cache-Control": "private, max-age=300"}


@post(list(SEGMENT_SINGLE), middleware=[DirectCall], summary="Take one event", tags=["segment"], status_code=200)
async def take_segment_single(request: AnyRequest, parts: CurrentParts) -> Response[bytes]:
    """Keep one message of the type whose first letter the path names; 200 means that it is on disk."""
    # By now the path has lost the slash at its end.
    if request.scope["raw_path"].partition(b"?")[0] == POSTHOG_RECORDINGS:
        return refuse_recording(request, parts)
    letter = request.scope["path"].rstrip("/").rsplit("/", 1)[1]
    return await take_events(request, parts, partial(decode_single, message_type=TYPE_OF_LETTER[letter]))


@post(list(SEGMENT_BATCH), middleware=[DirectCall], summary="Take a batch of events", tags=["segment"], status_code=200)
async def take_segment_batch(request: AnyRequest, parts: CurrentParts) -> Response[bytes]:
    """Keep a batch; 200 means that it is on disk."""
    return await take_events(request, parts, decode_batch)


@post(list(SEGMENT_FIGURES), summary="Take the SDK's figures of itself", tags=["segment"], status_code=200)
async def take_segment_figures(request: AnyRequest, parts: CurrentParts) -> Response[dict[str, bool]]:
    """Answer figures that the SDK sends about itself to its vendor; they are no events, and are not kept.

    The settings tell it to send none.
    """
    address = admit(request, parts)
    await parts.bounds.bodies.read(request.receive, address)
    parts.metrics.sdk_figures.inc()
    return Response({"success": True})


@get(f"{SEGMENT_SETTINGS}/{{key:str}}/settings", summary="The SDK's settings", tags=["segment"])
async def segment_settings(request: AnyRequest, parts: CurrentParts, key: FromPath[str]) -> Response[bytes]:
    """Tell the SDK that it has one destination, this collector; without an answer it sends nothing."""
    admit(request, parts)
    holder = require_holder(parts.sites, key)
    read_by_pages_of(request.scope, holder.site)
    require_fit(holder, read_headers(request), f"writeKey={key}")
    settings = _settings(key, parts.callbacks.public_url)
    return Response(msgspec.json.encode(settings), media_type="application/json", headers=_KEPT)


def _settings(key: str, public_url: str) -> dict[str, Any]:
    """Return what Segment's own server answers for a source without destinations.

    Args:
        key: the site's write key.
        public_url: the collector's own address, or '' to leave it to the page to name it.
    """
    destination = {"apiKey": key, "addBundledMetadata": False, "unbundledIntegrations": []}
    if public_url:
        # A page that names no `apiHost` would send to Segment.
        protocol, _, host = public_url.partition("://")
        destination |= {"apiHost": f"{host}/v1", "protocol": protocol}
    return {
        "integrations": {"Segment.io": destination},
        "plan": {},
        "metrics": {"sampleRate": 0},
        "edgeFunction": {},
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "remotePlugins": [],
        "legacyVideoPluginsEnabled": False,
        "analyticsNextEnabled": True,
    }
