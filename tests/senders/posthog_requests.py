"""What PostHog's SDKs sent: the events of a request, in whichever form its body has."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any, Final
from urllib.parse import unquote

from tests.senders.relay import Exchange, Relay

EVENT_PATHS: Final = frozenset({"/e/", "/batch/", "/i/v1/analytics/events"})


def event_exchanges(relay: Relay) -> list[Exchange]:
    """Return the exchanges that brought events."""
    return [each for each in relay.sendings if each.path.partition("?")[0] in EVENT_PATHS]


def events_of(exchange: Exchange) -> list[dict[str, Any]]:
    """Return the events of a request."""
    body = exchange.body
    if body[:2] == b"\x1f\x8b":
        body = gzip.decompress(body)
    if body[:5] == b"data=":
        body = base64.b64decode(unquote(body[5:].decode()))
    said = json.loads(body)
    events: list[dict[str, Any]] = said if isinstance(said, list) else said.get("batch", [said])
    return events


def sent_events(relay: Relay, status: int = 200) -> list[dict[str, Any]]:
    """Return the events of each request that was answered so."""
    return [event for each in event_exchanges(relay) if each.status == status for event in events_of(each)]


def sent_uuids(relay: Relay, status: int = 200) -> list[str]:
    """Return the uuid of each of them."""
    return [event["uuid"] for event in sent_events(relay, status)]
