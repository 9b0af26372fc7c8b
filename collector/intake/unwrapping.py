"""Finds the JSON text in the bytes of a request: compressed, in another encoding, in a form or as base64.

The bytes themselves say what they are; headers of beacons and of proxies often do not.
"""

from __future__ import annotations

import base64
import binascii
import re
import sys
import zlib
from typing import Final, Protocol

import msgspec

from collector.errors import malformed, too_large
from warehouse.limits import MAX_BODY_BYTES, MAX_INFLATED_BYTES

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: A body that is read in less than about half a millisecond.
SMALL_BYTES: Final = 64 * 1024
_JSON_BEGINS: Final = frozenset({b"{", b"["})
_GZIP: Final = b"\x1f\x8b"
_ZLIB: Final = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_COMPRESSED: Final = (_GZIP, _ZSTD, *_ZLIB)
#: The largest window that a sender may ask for is 8 MiB (RFC 9659).
_ZSTD_OPTIONS: Final = {int(zstd.DecompressionParameter.window_log_max): 23}
#: Compressed parts that follow one another in one body.
_MOST_PARTS: Final = 100
#: How much larger a text is that says nothing of its size; bodies of events are a tenth when they are compressed.
_USUAL_RATIO: Final = 8
#: A compressed form of base64 of a compressed text is the most that anybody sends.
_MOST_LAYERS: Final = 4
_UTF_8_MARK: Final = b"\xef\xbb\xbf"
#: What begins a text in another encoding: its mark, or its first brace.
_ENCODINGS: Final = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    *((begin + b"\0", "utf-16-le") for begin in _JSON_BEGINS),
    *((b"\0" + begin, "utf-16-be") for begin in _JSON_BEGINS),
)
_FORM: Final = re.compile(rb"(?:(?!data=)[\w.%+-]{1,64}=[^&]*+&)*+data=([^&]*+)")
_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_URL_SAFE: Final = bytes.maketrans(b"-_ ", b"+/+")
_LINE_ENDS: Final = b"\t\r\n"


class _Decompressor(Protocol):
    """Decompresses one part of a body."""

    @property
    def eof(self) -> bool:
        """Tell whether the part has its end."""

    @property
    def unused_data(self) -> bytes:
        """Return what follows its end."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Return so many bytes of it at most."""


class _LargerError(Exception):
    """The text is larger than it may be."""


def small_json(body: bytes) -> bytes | None:
    """Return the JSON text inside a body, None when it may take long to read.

    Raises:
        RequestError: it cannot be unwrapped.
    """
    if body[:1] in _JSON_BEGINS and body[1:2] != b"\0":  # `_is_json`, which nearly every body is
        return body if len(body) <= SMALL_BYTES else None
    if is_large(body):
        return None
    try:
        return _unwrapped(body, SMALL_BYTES)
    except _LargerError:
        return None


def plain_json(body: bytes) -> bytes:
    """Return the JSON text inside a body.

    Raises:
        RequestError: too large, or it cannot be unwrapped.
    """
    if len(body) > MAX_BODY_BYTES:
        raise too_large(MAX_BODY_BYTES)
    if _is_json(body):
        return body
    try:
        return _unwrapped(body, MAX_INFLATED_BYTES)
    except _LargerError as error:
        raise too_large(MAX_INFLATED_BYTES) from error


def is_large(body: bytes) -> bool:
    """Tell whether a body is known to take long to read; one that says nothing of its size may turn out to."""
    return len(body) > SMALL_BYTES or expected_size(body) > SMALL_BYTES


def expected_size(body: bytes) -> int:
    """Return how many bytes a body probably has once it is decompressed."""
    if body[:1] in _JSON_BEGINS or not body.startswith(_COMPRESSED):
        return len(body)
    # The end of a gzip states the size of its last part.
    stated = int.from_bytes(body[-4:], "little") if body.startswith(_GZIP) else 0
    return min(stated if stated >= len(body) else _USUAL_RATIO * len(body), MAX_INFLATED_BYTES)


def unquoted(text: bytes) -> bytes:
    """Return the value of a form's field.

    Python's own function takes seconds for half a megabyte of percent signs.
    """
    return _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), text.replace(b"+", b" "))


def _unwrapped(body: bytes, most: int) -> bytes:
    for _ in range(_MOST_LAYERS):
        if _is_json(body):
            return body
        inner = _without_layer(body, most)
        if inner is None:
            break
        body = inner
    return body


def _is_json(body: bytes) -> bool:
    return body[:1] in _JSON_BEGINS and body[1:2] != b"\0"


def _without_layer(body: bytes, most: int) -> bytes | None:
    """Return what is inside of the outermost layer; None where there is none."""
    if body.startswith(_COMPRESSED):
        return _decompressed(body, most)
    if body.startswith(_UTF_8_MARK):
        return body[len(_UTF_8_MARK) :]
    for begin, encoding in _ENCODINGS:
        if body.startswith(begin):
            return _in_utf_8(body, encoding)
    if form := _FORM.match(body):
        value = unquoted(form[1]).lstrip(b" \r\n")
        return value if _is_json(value) or value.startswith((_UTF_8_MARK, *_COMPRESSED)) else _of_base64(value)
    if body.startswith(b'"'):
        return _in_a_text(body)
    return _of_base64(body) if _looks_like_base64(body) else None


def _decompressed(body: bytes, most: int) -> bytes:
    """Return what gzip, zlib or zstd holds, in as many parts as there are; what follows them stays behind it."""
    parts: list[bytes] = []
    left = most
    for _ in range(_MOST_PARTS):
        part = _decompressor(body)
        try:
            parts.append(part.decompress(body, left + 1))
        except (zlib.error, zstd.ZstdError) as error:
            raise malformed(f"the body is no valid {_name(body)}: {error}") from error
        left -= len(parts[-1])
        if left < 0:
            raise _LargerError
        if not part.eof:
            raise malformed(f"the {_name(body)} body ends too early")
        # Writers of blocks fill the last one up with zeros.
        body = part.unused_data.lstrip(b"\0")
        if not body.startswith((_GZIP, _ZSTD)):
            return b"".join((*parts, body))
    raise malformed(f"the {_name(body)} body has more than {_MOST_PARTS} parts")


def _decompressor(body: bytes) -> _Decompressor:
    if body.startswith(_ZSTD):
        return zstd.ZstdDecompressor(options=_ZSTD_OPTIONS)
    return zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)


def _name(body: bytes) -> str:
    return "zstd" if body.startswith(_ZSTD) else "gzip"


def _in_utf_8(body: bytes, encoding: str) -> bytes:
    # Half a character stays one, so that it is mended, and told, with all others.
    try:
        text = body.decode(encoding, "surrogatepass")
    except UnicodeDecodeError:
        text = body.decode(encoding, "replace")
    return text.removeprefix("\ufeff").encode("utf-8", "surrogatepass")


def _in_a_text(body: bytes) -> bytes | None:
    """Return the JSON in a JSON text, as of a body that was written as JSON twice; None where there is none."""
    try:
        inner = msgspec.json.decode(body, type=str).encode()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return inner if _is_json(inner) else None


def _looks_like_base64(body: bytes) -> bool:
    try:
        begin = base64.b64decode(body[:4].translate(_URL_SAFE), validate=True)
    except binascii.Error:
        return False
    return begin[:1] in _JSON_BEGINS or begin.startswith(_GZIP)


def _of_base64(value: bytes) -> bytes:
    """Return what base64 holds: with or without padding, in the alphabet of addresses, with `+` read as a blank."""
    letters = value.translate(None, _LINE_ENDS).translate(_URL_SAFE).rstrip(b"=")
    try:
        return base64.b64decode(letters + b"=" * (-len(letters) % 4), validate=True)
    except binascii.Error as error:
        raise malformed("the form's data is neither JSON nor base64") from error
