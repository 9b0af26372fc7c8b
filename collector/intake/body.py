"""Decodes the JSON text of a request into the messages of a batch, also where a part of it is damaged."""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, NoReturn

import msgspec

from collector.errors import RequestError, malformed
from collector.intake.mending import Repair, mend
from collector.intake.splitting import Parts, split
from collector.intake.unwrapping import SMALL_BYTES, plain_json, unquoted
from warehouse.limits import MAX_CONTEXT_BYTES, MAX_EVENTS_PER_BATCH

#: More messages than this in one batch are no mistake: the whole of it is refused.
MAX_MESSAGES: Final = 4 * MAX_EVENTS_PER_BATCH
_WRITE_KEY: Final = re.compile(r"(?:^|&)writeKey=([^&]+)")
_WRITE_KEY_IN_JSON: Final = re.compile(rb'"writeKey"\s*+:\s*+"([^"\\]{1,200})"')
#: Characters of a decoder's message that are passed on: it may repeat what was sent.
_LONGEST_DETAIL: Final = 200
#: What the decoder raises: no JSON or none of the kind, text that is no UTF-8, nested too deeply.
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
#: Fields of a message that stands alone which are of its request, too.
_FIELDS_OF_SINGLE: Final = frozenset({b'"writeKey"', b'"sentAt"', b'"browserSecret"'})
_BLANK_OR_NULL: Final = b" \t\r\n\0"
_BLANK_OR_COMMA: Final = b" \t\r\n,"


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


class MendedBatch(Batch, frozen=True, rename="camel"):
    """A batch of a damaged body; its messages may be damaged still.

    Args:
        repairs: what was mended in what its messages share.
    """

    repairs: tuple[Repair, ...] = ()


class _Single(msgspec.Struct, rename="camel"):
    sent_at: str | int | float | None = None
    write_key: str | None = None
    browser_secret: Any = None


class _Shape(msgspec.Struct):
    """What tells a message from a batch."""

    type: str | None = None
    batch: msgspec.Raw = msgspec.Raw(b"")


class _Counted:
    """A message that is counted while the others are read, and not kept."""


class _CountedBatch(msgspec.Struct):
    batch: list[_Counted]


class _Outline(msgspec.Struct, rename="camel"):
    """What can be told of a large body before its messages are looked at."""

    write_key: str | None = None
    context: msgspec.Raw = msgspec.Raw(b"")


def read_batch(body: bytes) -> Batch:
    """Return the batch of a `/v1/batch` body, however it is wrapped.

    Raises:
        RequestError: too large, or malformed; the message says where.
    """
    return decode_batch(plain_json(body))


def decode_batch(plain: bytes) -> Batch:
    """Return the batch of a JSON text: a batch, a list of messages or a message, damaged or not.

    Raises:
        RequestError: malformed, or of more messages than anybody sends by mistake.
    """
    if len(plain) > SMALL_BYTES:
        read_outline(plain)
        # Messages are separated by commas: their number is looked at before a place is made for each of them.
        if plain.count(b",") >= MAX_MESSAGES:
            _count_messages(plain, _CountedBatch)
    try:
        return msgspec.json.decode(plain, type=Batch)
    except _UNREADABLE as error:
        return _damaged_batch(plain, error)


def decode_events(plain: bytes) -> list[msgspec.Raw]:
    """Return the events of a JSON list, each still JSON.

    Raises:
        RequestError: malformed, or of more events than anybody sends by mistake.
    """
    if plain.count(b",") >= MAX_MESSAGES:
        _count_messages(plain, list[_Counted])
    try:
        return msgspec.json.decode(plain, type=list[msgspec.Raw])
    except _UNREADABLE as error:
        refuse(error)


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
    """Return a JSON text, which is one message, as a batch of one; of a list, as a batch of each.

    Args:
        plain: the text.
        message_type: the type that the route names; it wins over that of the text.

    Raises:
        RequestError: malformed; the message says where.
    """
    try:
        shared = msgspec.json.decode(plain, type=_Single)
    except _UNREADABLE as error:
        batch = _damaged_batch(plain, error)
        return msgspec.structs.replace(batch, batch=[_typed(item, message_type) for item in batch.batch])
    message = _typed(plain, message_type)
    return Batch([message], None, shared.sent_at, shared.write_key, shared.browser_secret)


def _typed(message: bytes | msgspec.Raw, message_type: str) -> msgspec.Raw:
    """Return a message with the type of its route: the last of two equal keys counts."""
    text = bytes(message).rstrip()
    if not text.endswith(b"}"):
        return msgspec.Raw(text)
    fields = text[:-1].rstrip(_BLANK_OR_COMMA)
    comma = b"" if fields.strip() == b"{" else b","
    return msgspec.Raw(b'%s%s"type":"%s"}' % (fields, comma, message_type.encode()))


def read_outline(plain: bytes) -> str | None:
    """Return the write key of a JSON text, None for none, without reading its messages.

    Raises:
        RequestError: its context is larger than any that is needed.
    """
    try:
        outline = msgspec.json.decode(plain, type=_Outline)
    except _UNREADABLE:
        key = _WRITE_KEY_IN_JSON.search(plain)
        return key[1].decode("utf-8", "replace") if key else None
    _require_fit_context(outline.context)
    return outline.write_key


def _require_fit_context(context: bytes | msgspec.Raw) -> None:
    if len(bytes(context)) > MAX_CONTEXT_BYTES:
        raise malformed(f"the batch's context is larger than {MAX_CONTEXT_BYTES} bytes")


def _damaged_batch(plain: bytes, error: Exception) -> Batch:
    """Return the batch of a text that the decoder refused as one: of a damaged one, a list or a message.

    Raises:
        RequestError: it is none, or of too many messages.
    """
    text = plain.strip(_BLANK_OR_NULL)
    if not text.startswith((b"{", b"[")) or _is_unfit(text, error):
        refuse(error)
    parts = split(text, MAX_MESSAGES)
    if len(parts.messages) > MAX_MESSAGES:
        raise _too_many()
    if not parts.is_whole or not (parts.messages or parts.has_batch):
        refuse(error)
    return _mended(parts, error)


def _is_unfit(text: bytes, error: Exception) -> bool:
    """Tell whether a text is whole JSON, and neither a batch, a list nor a message."""
    if not isinstance(error, msgspec.ValidationError) or text.startswith(b"["):
        return False
    try:
        shape = msgspec.json.decode(text, type=_Shape)
    except _UNREADABLE as other:
        return isinstance(other, msgspec.ValidationError)
    begin = bytes(shape.batch)[:1]
    return begin != b"[" if begin else shape.type is None


def _mended(parts: Parts, error: Exception) -> MendedBatch:
    """Return the batch of parts; its messages are mended one by one, when their turn comes."""
    fields = parts.fields
    if not parts.has_batch:
        # What else a message says is of itself, and not of those beside it.
        fields = [field for field in fields if field[0] in _FIELDS_OF_SINGLE]
    for name, value in fields:
        if name == b'"context"':
            _require_fit_context(value)
    mended = mend(b"{%s}" % b",".join(b"%s:%s" % field for field in fields))
    if mended is None:
        refuse(error)
    try:
        batch = msgspec.convert({**mended.value, "batch": [], "repairs": ()}, MendedBatch)
    except msgspec.ValidationError as unfit:
        refuse(unfit)
    messages = [msgspec.Raw(each) for each in parts.messages]
    return msgspec.structs.replace(batch, batch=messages, repairs=mended.repairs if parts.has_batch else ())


def _too_many() -> RequestError:
    text = f"the batch has more than {MAX_MESSAGES} messages; send {MAX_EVENTS_PER_BATCH} at most"
    return RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", text)


def _count_messages(plain: bytes, kind: type[object]) -> None:
    seen = 0
    placeholder = _Counted()

    def count(_: type, __: object) -> _Counted:
        nonlocal seen
        seen += 1
        if seen > MAX_MESSAGES:
            raise _too_many()
        return placeholder

    # A message that cannot be read spoils only itself, and so is left to whoever reads it.
    with contextlib.suppress(*_UNREADABLE):
        msgspec.json.decode(plain, type=kind, dec_hook=count)


def refuse(error: Exception) -> NoReturn:
    """Raise the answer to a text that the decoder refused."""
    if isinstance(error, RecursionError):
        raise malformed("the body is nested too deeply") from error
    raise malformed(f"the body is no batch: {str(error)[:_LONGEST_DETAIL]}") from error


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
