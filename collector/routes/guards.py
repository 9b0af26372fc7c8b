"""Checks that several groups of routes make of a request: its sender's rate, and the signed link that it follows."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from litestar import Request

from collector.admission.addresses import address_of
from collector.errors import RequestError, malformed
from collector.feedback.message_links import MessageLink
from collector.intake.unwrapping import unquoted
from collector.parts import CollectorParts

AnyRequest = Request[Any, Any, Any]
#: Bytes and fields of a form: providers send a few dozen fields, and the longest text message in percent signs.
MAX_FORM_BYTES: Final = 32 * 1024
MAX_FIELDS: Final = 100


def read_headers(request: AnyRequest) -> dict[str, str]:
    """Return the headers of a request, names in lower case, the first of each name.

    Litestar's own reading costs ten times as much, for what no route here asks.
    """
    sent = reversed(list(request.scope["headers"]))
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in sent}


def admit(request: AnyRequest, parts: CollectorParts, cost: float = 1.0) -> str:
    """Count a request against the address that it comes from, and return that.

    Args:
        request: the request.
        parts: those of the collector.
        cost: what it costs, as far as is known before it is read.

    Raises:
        RequestError: 429, with the seconds to wait.
    """
    address = address_of(request.scope, parts.settings.address_header)
    wait = parts.rate.wait_seconds(address, parts.now_ms(), cost)
    if wait:
        raise slow_down(wait)
    return address


def slow_down(wait: int) -> RequestError:
    """Return the answer to a sender that has to wait so many seconds."""
    return RequestError(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", f"slow down; wait {wait} s", wait)


async def read_form(request: AnyRequest, parts: CollectorParts, address: str) -> list[tuple[str, str]]:
    """Return the fields of a URL-encoded form in their order.

    Raises:
        RequestError: too large, too slow, with too many fields for any form of ours or of a provider, or no text.
    """
    body = await parts.bounds.bodies.read(request.receive, address, MAX_FORM_BYTES)
    fields = body.split(b"&", MAX_FIELDS)
    if len(fields) > MAX_FIELDS:
        raise malformed(f"the form has more than {MAX_FIELDS} fields")
    try:
        pairs = [(unquoted(name).decode(), unquoted(value).decode()) for name, value in map(_halves, fields)]
    except UnicodeDecodeError as error:
        raise malformed("the form is no UTF-8") from error
    return [pair for pair in pairs if any(pair)]


def _halves(field: bytes) -> tuple[bytes, bytes]:
    name, _, value = field.partition(b"=")
    return name, value


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
