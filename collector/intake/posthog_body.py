"""Reads the bodies of PostHog's SDKs: an event, a list of events, or a batch of them, as a batch of our messages."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final

import msgspec

from collector.errors import RequestError
from collector.intake.body import Batch, MendedBatch, decode_events, refuse
from collector.intake.draft import text
from collector.intake.mending import Repair, mend
from collector.intake.posthog import PosthogEvent, Speaker, translate
from collector.sites import Sites
from warehouse.limits import MAX_RAW_EVENT_BYTES

_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)
#: A token that is longer is none: no more of it is compared.
_LONGEST_TOKEN: Final = 256


class _Envelope(msgspec.Struct):
    """What may stand around events, or beside the fields of one."""

    api_key: Any = None
    token: Any = None
    own_token: Any = msgspec.field(default=None, name="$token")
    properties: msgspec.Raw = msgspec.Raw(b"")
    sent_at: Any = None
    created_at: Any = None
    batch: msgspec.Raw = msgspec.Raw(b"")


class _Token(msgspec.Struct):
    token: Any = None


class PosthogRequest(msgspec.Struct, frozen=True):
    """The facts of a request that its body is read by.

    Args:
        sites: those that tokens may be of.
        now_ms: when it arrived, epoch ms.
        token: that its headers name, '' for none.
        sent_at: when it was sent, as its address says it.
    """

    sites: Sites
    now_ms: int
    token: str = ""
    sent_at: int | None = None


def find_token(plain: bytes) -> str | None:
    """Return the token of a JSON text, None for none, without reading its events.

    Raises:
        RequestError: malformed, or several tokens.
    """
    envelope, events, _ = _read(plain)
    return _token_of(envelope) or _common_token(events) or None


def decode_posthog(plain: bytes, about: PosthogRequest) -> Batch:
    """Return the batch of a JSON text.

    Raises:
        RequestError: malformed, more events than anybody sends by mistake, or of several tokens.
    """
    envelope, events, repairs = _read(plain)
    token = about.token or _token_of(envelope) or _common_token(events)
    said = next((each for each in (envelope.sent_at, envelope.created_at, about.sent_at) if each is not None), None)
    sent_at = said if isinstance(said, str | int | float) else None
    site = about.sites.with_key(token) or about.sites.with_server_key(token) if token else None
    if site is None:
        return Batch([], None, sent_at, token or None)
    speaker = Speaker(about.sites.with_key(token) is None, site.identity != "off", about.now_ms, sent_at)
    messages = [message for raw in events for message in _messages(raw, speaker)]
    return MendedBatch(messages, None, sent_at, token, repairs=repairs)


def _read(plain: bytes) -> tuple[_Envelope, list[msgspec.Raw], tuple[Repair, ...]]:
    """Return what stands around events, the events, and what had to be mended for them to be read."""
    try:
        return *_read_whole(plain), ()
    except RequestError:
        mended = mend(plain)
        if mended is None or not isinstance(mended.value, dict | list) or not mended.repairs:
            raise
        return *_read_whole(_encoded(mended.value)), mended.repairs


def _read_whole(plain: bytes | msgspec.Raw) -> tuple[_Envelope, list[msgspec.Raw]]:
    text = bytes(plain)
    if _is_list(text):
        return _Envelope(), decode_events(text)
    try:
        envelope = msgspec.json.decode(text, type=_Envelope)
    except _UNREADABLE as error:
        refuse(error)
    return envelope, decode_events(bytes(envelope.batch)) if envelope.batch else [msgspec.Raw(text)]


def _is_list(plain: bytes) -> bool:
    return plain.lstrip()[:1] == b"["


def _messages(raw: msgspec.Raw, speaker: Speaker) -> list[msgspec.Raw]:
    """Return the messages of one event; one that cannot be read is left to the pipeline, which says what is wrong."""
    if len(raw) > MAX_RAW_EVENT_BYTES:
        return [raw]
    try:
        return [_encoded(message) for message in translate(msgspec.json.decode(raw, type=PosthogEvent), speaker)]
    except _UNREADABLE:
        return [raw]


def _encoded(message: object) -> msgspec.Raw:
    try:
        return msgspec.Raw(msgspec.json.encode(message))
    except OverflowError:
        # A whole number of any length is read, but not written by the faster of the two.
        return msgspec.Raw(json.dumps(message).encode())


def _common_token(events: Iterable[msgspec.Raw]) -> str:
    """Return the token that events name themselves, '' for none.

    Raises:
        RequestError: 401, they name several.
    """
    found: set[str] = set()
    for raw in events:
        try:
            token = _token_of(msgspec.json.decode(raw, type=_Envelope))
        except _UNREADABLE:
            continue
        found.add(token)
    found.discard("")
    if len(found) > 1:
        message = "the events of a request have several tokens; send those of each site apart"
        raise RequestError(HTTPStatus.UNAUTHORIZED, "unknown_write_key", message)
    return next(iter(found), "")


def _token_of(envelope: _Envelope) -> str:
    named = next(filter(None, map(text, (envelope.api_key, envelope.token, envelope.own_token))), "")
    if not named and envelope.properties:
        try:
            named = text(msgspec.json.decode(envelope.properties, type=_Token).token)
        except _UNREADABLE:
            return ""
    return named[:_LONGEST_TOKEN]
