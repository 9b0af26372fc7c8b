"""Decodes the bytes of a request into the messages of a batch, whatever the Content-Type says."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs

import msgspec

from collector.errors import RequestError, malformed, too_large
from warehouse.limits import MAX_BODY_BYTES, MAX_INFLATED_BYTES

T = TypeVar("T")
_GZIP_MAGIC: Final = b"\x1f\x8b"


class Batch(msgspec.Struct, frozen=True, rename="camel"):
    """The decoded body of a request.

    Args:
        batch: the messages, each still JSON.
        context: shared by all of them.
        sent_at: the sender's clock when it sent the batch.
        write_key: the site's write key, when it came in the body.
    """

    batch: list[msgspec.Raw]
    context: dict[str, Any] | None = None
    sent_at: str | int | float | None = None
    write_key: str | None = None


class _Single(msgspec.Struct, rename="camel"):
    sent_at: str | int | float | None = None
    write_key: str | None = None


def read_batch(body: bytes) -> Batch:
    """Return the batch of a `/v1/batch` body: JSON, gzipped JSON, or a form's `data=`.

    Raises:
        RequestError: too large, or malformed; the message says where.
    """
    return _decode(plain_json(body), Batch)


def read_single(body: bytes, message_type: str) -> Batch:
    """Return the body of a single-type route such as `/v1/track` as a batch of one.

    Args:
        body: as it arrived.
        message_type: the type that the route names, such as `track`.

    Raises:
        RequestError: too large, or malformed; the message says where.
    """
    plain = plain_json(body)
    shared = _decode(plain, _Single)
    fields = _decode(plain, dict[str, msgspec.Raw])
    message = msgspec.Raw(msgspec.json.encode({**fields, "type": message_type}))
    return Batch([message], None, shared.sent_at, shared.write_key)


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


def _decode(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise malformed(f"the body is no batch: {error}") from error
    except RecursionError as error:
        raise malformed("the body is nested too deeply") from error


def _inflate(body: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        plain = inflater.decompress(body, MAX_INFLATED_BYTES)
    except zlib.error as error:
        raise malformed(f"the body is no valid gzip: {error}") from error
    if inflater.unconsumed_tail:
        raise too_large(MAX_INFLATED_BYTES)
    if not inflater.eof:
        raise malformed("the gzip body ends too early")
    return plain


def _form_data(body: bytes) -> bytes:
    value = parse_qs(body.decode("utf-8", "replace")).get("data", [""])[0]
    if value[:1] in {"{", "["}:
        return value.encode()
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise malformed("the form's data is neither JSON nor base64") from error


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
    return body_key or parse_qs(query).get("writeKey", [""])[0] or headers.get("x-write-key", "")


def _basic_user(encoded: str) -> str:
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")[0]
    except (binascii.Error, ValueError) as error:
        raise RequestError(401, "bad_credentials", "the Authorization header is no valid Basic credential") from error
