"""Checks that several groups of routes make of a request: its sender's rate, and the signed link that it follows."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from litestar import Request

from collector.errors import RequestError
from collector.feedback.message_links import MessageLink
from collector.parts import CollectorParts

AnyRequest = Request[Any, Any, Any]


def read_headers(request: AnyRequest) -> dict[str, str]:
    """Return the headers of a request, names in lower case, the first of each name.

    Litestar's own reading costs ten times as much, for what no route here asks.
    """
    sent = reversed(list(request.scope["headers"]))
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in sent}


def admit(request: AnyRequest, parts: CollectorParts) -> None:
    """Count a request against the address that it comes from.

    Raises:
        RequestError: 429, with the seconds to wait.
    """
    wait = parts.rate.wait_seconds(_address(request, parts), parts.now_ms())
    if wait:
        raise RequestError(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", f"slow down; wait {wait} s", wait)


def read_link(parts: CollectorParts, text: str, purpose: str) -> MessageLink | None:
    """Return the message and site of a signed token, or None, which is counted, when token or site is unknown.

    Args:
        parts: those of the collector.
        text: the token as it stands in the address.
        purpose: open, click, unsubscribe, callback or push.
    """
    token = parts.message_tokens.read(text, purpose, parts.now_ms())
    site = parts.sites.named(token.site) if token else None
    if token is None or site is None:
        parts.metrics.message_links_refused.labels(purpose).inc()
        return None
    return MessageLink(token, site)


def require_link(parts: CollectorParts, text: str, purpose: str) -> MessageLink:
    """Return the message and site of a signed token, as `read_link` does, for a program rather than a reader.

    Raises:
        RequestError: 404, the address names no message of this collector.
    """
    link = read_link(parts, text, purpose)
    if link is None:
        raise RequestError(HTTPStatus.NOT_FOUND, "unknown_message", "the address names no message of this collector")
    return link


def objects_to_tracking(headers: Mapping[str, str]) -> bool:
    """Tell whether a browser sends Global Privacy Control or Do Not Track."""
    return headers.get("sec-gpc") == "1" or headers.get("dnt") == "1"


def _address(request: AnyRequest, parts: CollectorParts) -> str:
    header = parts.settings.address_header
    forwarded = request.headers.get(header, "").split(",")[-1].strip() if header else ""
    client = request.scope["client"]
    return forwarded or (client[0] if client else "")
