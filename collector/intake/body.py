"""Decodes the bytes of a request into the messages of a batch, whatever the Content-Type says."""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
import zlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, TypeVar

import msgspec

from collector.errors import RequestError, malformed, too_large
from warehouse.limits import MAX_BODY_BYTES, MAX_CONTEXT_BYTES, MAX_EVENTS_PER_BATCH, MAX_INFLATED_BYTES

T = TypeVar("T")
#: A body that is read in less than about half a millisecond.
SMALL_BYTES: Final = 64 * 1024
#: More messages than this in one batch are no mistake: the whole of it is refused.
MAX_MESSAGES: Final = 4 * MAX_EVENTS_PER_BATCH
_GZIP_MAGIC: Final = b"\x1f\x8b"
_WRITE_KEY: Final = re.compile(r"(?:^|&)writeKey=([^&]+)")
_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
#: Characters of a decoder's message that are passed on: it may repeat what was sent.
_LONGEST_DETAIL: Final = 200


class Batch(msgspec.Struct, frozen=True, rename="camel"):
    """The decoded body of a request.

    Args:
        batch: the messages, each still JSON.
        context: shared by all of them.
        sent_at: the sender's clock when it sent the batch.
        write_key: the site's write key, when it came in the body.
        browser_secret: what the sender shows as the secret of its browser.
    """

    batch: list[msgspec.Raw]
    context: dict[str, Any] | None = None
    sent_at: str | int | float | None = None
    write_key: str | None = None
    browser_secret: Any = None


class _Single(msgspec.Struct, rename="camel"):
    sent_at: str | int | float | None = None
    write_key: str | None = None
    browser_secret: Any = None


class _Counted:
    """A message that is counted while the others are read, and not kept."""


class _CountedBatch(msgspec.Struct):
    batch: list[_Counted]


class _Outline(msgspec.Struct, rename="camel"):
    """What can be told of a large body before its messages are looked at."""

    write_key: str | None = None
    context: msgspec.Raw = msgspec.Raw(b"")


def read_batch(body: bytes) -> Batch:
    """Return the batch of a `/v1/batch` body: JSON, gzipped JSON, or a form's `data=`.

    Raises:
        RequestError: too large, or malformed; the message says where.
    """
    return decode_batch(plain_json(body))


def decode_batch(plain: bytes) -> Batch:
    """Return the batch of a JSON text.

    Raises:
        RequestError: malformed, or of more messages than anybody sends by mistake.
    """
    if len(plain) > SMALL_BYTES:
        read_outline(plain)
        # Messages are separated by commas: their number is looked at before a place is made for each of them.
        if plain.count(b",") >= MAX_MESSAGES:
            _count_messages(plain)
    return _decode(plain, Batch)


def read_single(body: bytes, message_type: str) -> Batch:
    """Return the body of a single-type route such as `/v1/track` as a batch of one.

    Args:
        body: as it arrived.
        message_type: the type that the route names, such as `track`.

    Raises:
        RequestError: too large, or malformed; the message says where.
    """
    return decode_single(plain_json(body), message_type)


def decode_single(plain: bytes, message_type: str) -> Batch:
    """Return a JSON text, which is one message, as a batch of one.

    Args:
        plain: the text.
        message_type: the type that the route names; it wins over that of the text.

    Raises:
        RequestError: malformed; the message says where.
    """
    shared = _decode(plain, _Single)
    # The last of two equal keys counts.
    fields = plain.rstrip()[:-1]
    comma = b"" if fields.strip() == b"{" else b","
    message = msgspec.Raw(b'%s%s"type":"%s"}' % (fields, comma, message_type.encode()))
    return Batch([message], None, shared.sent_at, shared.write_key, shared.browser_secret)


def read_outline(plain: bytes) -> str | None:
    """Return the write key of a JSON text, None for none, without reading its messages.

    Raises:
        RequestError: malformed, or its context is larger than any that is needed.
    """
    outline = _decode(plain, _Outline)
    if len(bytes(outline.context)) > MAX_CONTEXT_BYTES:
        raise malformed(f"the batch's context is larger than {MAX_CONTEXT_BYTES} bytes")
    return outline.write_key


def is_large(body: bytes) -> bool:
    """Tell whether a body takes long to read; of a gzip body, as its end tells the size of what is in it."""
    return max(len(body), expected_size(body)) > SMALL_BYTES


def expected_size(body: bytes) -> int:
    """Return how many bytes a body has once it is inflated, as far as it says so and may."""
    return min(_stated_size(body), MAX_INFLATED_BYTES) if body[:2] == _GZIP_MAGIC else len(body)


def plain_json(body: bytes) -> bytes:
    """Return the JSON text inside a body, inflating gzip within bounds.

    Raises:
        RequestError: too large, no valid gzip, or a form whose data is neither JSON nor base64.
    """
    if len(body) > MAX_BODY_BYTES:
        raise too_large(MAX_BODY_BYTES)
    if body[:2] == _GZIP_MAGIC:
        body = _inflate(body)
    if body[:5] == b"data=":
        body = _form_data(body)
    return body


def _count_messages(plain: bytes) -> None:
    seen = 0
    placeholder = _Counted()

    def count(_: type, __: object) -> _Counted:
        nonlocal seen
        seen += 1
        if seen > MAX_MESSAGES:
            text = f"the batch has more than {MAX_MESSAGES} messages; send {MAX_EVENTS_PER_BATCH} at most"
            raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", text)
        return placeholder

    # A message that cannot be read spoils only itself, and so is left to whoever reads it.
    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        msgspec.json.decode(plain, type=_CountedBatch, dec_hook=count)


def _decode(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise malformed(f"the body is no batch: {str(error)[:_LONGEST_DETAIL]}") from error
    except RecursionError as error:
        raise malformed("the body is nested too deeply") from error


def _stated_size(body: bytes) -> int:
    return int.from_bytes(body[-4:], "little")


def _inflate(body: bytes) -> bytes:
    # What the end states bounds the work: `is_large` has believed it.
    most = min(MAX_INFLATED_BYTES, _stated_size(body)) + 1
    inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        plain = inflater.decompress(body, most)
    except zlib.error as error:
        raise malformed(f"the body is no valid gzip: {error}") from error
    if inflater.unconsumed_tail or len(plain) > MAX_INFLATED_BYTES:
        raise too_large(min(most, MAX_INFLATED_BYTES))
    if not inflater.eof:
        raise malformed("the gzip body ends too early")
    return plain


def _form_data(body: bytes) -> bytes:
    if len(body) > MAX_BODY_BYTES:
        raise too_large(MAX_BODY_BYTES)
    value = unquoted(body[5:].partition(b"&")[0])
    if value[:1] in {b"{", b"["}:
        return value
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise malformed("the form's data is neither JSON nor base64") from error


def unquoted(text: bytes) -> bytes:
    """Return the value of a form's field.

    Python's own function takes seconds for half a megabyte of percent signs.
    """
    return _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), text.replace(b"+", b" "))


def write_key(headers: Mapping[str, str], query: str, body_key: str | None) -> str:
    """Return the write key of a request: Basic user, body, query, then the X-Write-Key header; '' for none.

    Raises:
        RequestError: 401, the Authorization header is no valid Basic credential.
    """
    basic = headers.get("authorization", "")
    if basic.lower().startswith("basic "):
        user = _basic_user(basic[6:])
        if user:
            return user
    return body_key or query_key(query) or headers.get("x-write-key", "")


def query_key(query: str) -> str:
    """Return the write key that stands in the query of an address, '' for none."""
    found = _WRITE_KEY.search(query)
    return unquoted(found[1].encode("latin-1")).decode("utf-8", "replace") if found else ""


def _basic_user(encoded: str) -> str:
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")[0]
    except (binascii.Error, ValueError) as error:
        raise RequestError(401, "bad_credentials", "the Authorization header is no valid Basic credential") from error
