"""Routes that PostHog's SDKs call, unmodified: those that take events, and those that switch off what is not here.

Session recordings, feature flags, surveys and the like are not ours. The configuration that posthog-js asks for first
says so in its own words, so that it loads none of their scripts and sends nothing for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from collector.errors import RETRY_AFTER_SECONDS, RequestError, too_large
from collector.intake.draft import DropReason
from collector.intake.posthog_body import PosthogRequest, decode_posthog, find_token
from collector.intake.unwrapping import SMALL_BYTES, small_json
from collector.parts import CollectorParts, CurrentParts
from collector.routes.cross_origin import read_by_pages_of
from collector.routes.direct_call import DirectCall
from collector.routes.guards import AnyRequest, admit, read_headers
from collector.routes.key_check import require_fit, require_holder
from collector.routes.sdk_paths import (
    POSTHOG_CONFIG,
    POSTHOG_EVENTS,
    POSTHOG_EVENTS_V1,
    POSTHOG_FLAGS,
    POSTHOG_SURVEYS,
)
from collector.routes.tracking import Kept, Reading, reply_to, take

#: What posthog-js is told of PostHog's features: none is on. Of surveys it is told nothing, because it loads their
#: script as soon as it is told anything.
CONFIG: Final[Mapping[str, Any]] = {
    "supportedCompression": ["gzip", "gzip-js"],
    "hasFeatureFlags": False,
    "captureDeadClicks": False,
    "capturePerformance": False,
    "autocapture_opt_out": False,
    "autocaptureExceptions": False,
    "errorTracking": {"autocaptureExceptions": False, "suppressionRules": []},
    "analytics": {"endpoint": "/e/"},
    "elementsChainAsString": True,
    "sessionRecording": False,
    "heatmaps": False,
    "productTours": False,
    "conversations": False,
    "logs": {"captureConsoleLogs": False},
    "defaultIdentifiedOnly": True,
    "siteApps": [],
    "isAuthenticated": False,
    "toolbarParams": {},
}
_NO_FLAGS: Final[Mapping[str, Any]] = {
    "flags": {},
    "featureFlags": {},
    "featureFlagPayloads": {},
    "errorsWhileComputingFlags": False,
}
#: In PostHog's words: the client sends none for a minute.
_NO_RECORDINGS: Final = {"status": 1, "quota_limited": ["recordings"]}
_KEPT_FOR_MINUTES: Final = {"Cache-Control": "public, max-age=300"}
#: Statuses of what passes; posthog-js drops what was answered with one of them.
_PASSING: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT})
#: The ends of the ids of messages that tell further things of an event.
_BESIDE: Final = (":set", ":apart")


_take: Final = partial(post, middleware=[DirectCall], tags=["PostHog"], status_code=200)


@_take(list(POSTHOG_EVENTS), summary="Take events of PostHog's SDKs")
async def take_posthog(request: AnyRequest, parts: CurrentParts) -> Response[bytes]:
    """Keep an event, a list of events or a batch; 200 means that they are on disk."""
    with _patience():
        kept = await take(request, parts, _reading(request, parts))
    return _json({"status": 1, **msgspec.to_builtins(reply_to(parts, kept))})


@_take(POSTHOG_EVENTS_V1, summary="Take events of PostHog's SDKs in their mode v1")
async def take_posthog_v1(request: AnyRequest, parts: CurrentParts) -> Response[bytes]:
    """Keep a batch, and say of each event by its uuid what became of it."""
    with _patience():
        kept = await take(request, parts, _reading(request, parts))
    return _json({"results": _results(kept)})


@_take(list(POSTHOG_FLAGS), summary="Feature flags: none")
async def no_flags(request: AnyRequest, parts: CurrentParts) -> Response[bytes]:
    """Answer that a visitor has no feature flag."""
    with _patience():
        address = admit(request, parts)
        # To read a large one would hold up everybody, and no SDK sends one.
        body = small_json(await parts.bounds.bodies.read(request.receive, address, SMALL_BYTES))
        if body is None:
            raise too_large(SMALL_BYTES)
        _require_site(request, parts, find_token(body) or "")
    return _json({**_NO_FLAGS, **CONFIG})


def refuse_recording(request: AnyRequest, parts: CollectorParts) -> Response[bytes]:
    """Refuse a session recording unread, in the words that stop the SDK rather than have it try again."""
    with _patience():
        admit(request, parts)
    parts.metrics.requests_refused.labels("recording_not_kept").inc()
    return _json(_NO_RECORDINGS)


@get(POSTHOG_SURVEYS, summary="Surveys: none", tags=["PostHog"])
async def no_surveys() -> Response[bytes]:
    """Answer that there is no survey."""
    return _json({"surveys": []})


@get(f"{POSTHOG_CONFIG}/{{token:str}}/config", summary="The configuration of posthog-js", tags=["PostHog"])
async def posthog_config(request: AnyRequest, parts: CurrentParts, token: FromPath[str]) -> Response[bytes]:
    """Say which of PostHog's features are on: none but capturing."""
    _require_page(request, parts, token)
    return _json({"token": token, **CONFIG}, _KEPT_FOR_MINUTES)


@get(f"{POSTHOG_CONFIG}/{{token:str}}/config.js", summary="The same as a script", tags=["PostHog"])
async def posthog_config_script(request: AnyRequest, parts: CurrentParts, token: FromPath[str]) -> Response[bytes]:
    """Say the same in a script, for pages that load posthog-js by PostHog's snippet."""
    _require_page(request, parts, token)
    known = "(window._POSTHOG_REMOTE_CONFIG=window._POSTHOG_REMOTE_CONFIG||{})"
    said = msgspec.json.encode({"config": {"token": token, **CONFIG}, "siteApps": []}).decode()
    script = f"{known}[{msgspec.json.encode(token).decode()}]={said};".encode()
    return Response(script, media_type="text/javascript; charset=utf-8", headers=_KEPT_FOR_MINUTES)


def _reading(request: AnyRequest, parts: CollectorParts) -> Reading:
    """Return how the body of a request is read, and the token that its headers name."""
    kind, _, credential = read_headers(request).get("authorization", "").partition(" ")
    token = credential.strip() if kind.lower() == "bearer" else ""
    about = PosthogRequest(parts.sites, parts.now_ms(), token, _sent_at(request))
    return Reading(partial(decode_posthog, about=about), find_token, token)


def _sent_at(request: AnyRequest) -> int | None:
    """Return when a request was sent, which versions of posthog-js before 1.40 write into the address as `_`."""
    query = request.scope["query_string"].decode("latin-1")
    found = next((each[2:] for each in query.split("&") if each.startswith("_=")), "")
    return int(found) if len(found) == 13 and found.isascii() and found.isdecimal() else None


@contextmanager
def _patience() -> Iterator[None]:
    """Answer what passes with 503, the one status after which each of PostHog's SDKs tries again."""
    try:
        yield
    except RequestError as error:
        if error.status not in _PASSING:
            raise
        wait = error.retry_after_seconds or RETRY_AFTER_SECONDS
        raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, error.code, error.message, wait) from error


def _results(kept: Kept) -> dict[str, dict[str, str]]:
    """Return, by uuid, what became of each event: of its messages, the one with its own id tells it."""
    labels = {_label(raw) for raw in kept.batch.batch}
    results = {label: {"result": "ok"} for label in labels if label}
    for warning in kept.acknowledgement.warnings:
        results[warning.message_id] = {"result": "warning", "details": f"{warning.reason}: {warning.detail}"}
    for drop in kept.acknowledgement.drops:
        if drop.reason is not DropReason.DUPLICATE:
            results[drop.message_id] = {"result": "drop", "details": f"{drop.reason}: {drop.detail}"}
    return {label: result for label, result in results.items() if label in labels and not label.endswith(_BESIDE)}


class _Labelled(msgspec.Struct, rename="camel"):
    message_id: str = ""


def _label(raw: msgspec.Raw) -> str:
    try:
        return msgspec.json.decode(raw, type=_Labelled).message_id
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return ""


def _require_site(request: AnyRequest, parts: CollectorParts, token: str, query: str = "") -> None:
    holder = require_holder(parts.sites, token)
    read_by_pages_of(request.scope, holder.site)
    require_fit(holder, read_headers(request), query)


def _require_page(request: AnyRequest, parts: CollectorParts, token: str) -> None:
    admit(request, parts)
    _require_site(request, parts, token, f"writeKey={token}")


def _json(answer: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response[bytes]:
    return Response(msgspec.json.encode(answer), media_type="application/json", headers=headers)
