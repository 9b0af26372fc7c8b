"""The journal's file format: frames of records, each frame checked by its own checksum.

A frame is the unit that is durable or not: one group commit. It is a header (magic, payload length, CRC-32 of number
and payload, number of its first row), then its records in MessagePack. Rows are numbered in the order of the file,
whatever their table. What follows the last frame of a file is zeros, or what a crash left of a frame.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Final
from zlib import crc32

import msgspec

#: Begins with a byte that no UTF-8 text contains, so that no row's text is ever taken for a frame.
MAGIC: Final = b"\xffmj\x01"
ID_BYTES: Final = 16
_HEADER: Final = struct.Struct("<4sIIQ")
_NUMBER: Final = struct.Struct("<Q")


class Rows(msgspec.Struct, frozen=True, array_like=True, tag=0, gc=False):
    """Rows of one table that were appended together.

    Args:
        table: number of the table.
        at: when they were received, epoch ms.
        count: number of rows.
        ids: their hashed ids, 16 bytes each, for a table that recognises repeats; else empty.
        lines: the rows as JSON objects, separated by newlines.
    """

    table: int
    at: int
    count: int
    ids: bytes
    lines: bytes


class TakenFrame(msgspec.Struct, frozen=True, array_like=True, tag=1, gc=False):
    """A batch was formed: the rows of the table from number `first` to before `end` go to ClickHouse under `token`."""

    table: int
    token: str
    first: int
    end: int


class Finished(msgspec.Struct, frozen=True, array_like=True, tag=2, gc=False):
    """The rows of the table before number `end` have left the journal."""

    table: int
    end: int


class Adopted(msgspec.Struct, frozen=True, array_like=True, tag=3, gc=False):
    """The rows of another file up to its `position` are in the journal from this frame on."""

    name: str
    position: int


class Refused(msgspec.Struct, frozen=True, array_like=True, tag=4, gc=False):
    """A row that ClickHouse cannot take, with the token of its batch and ClickHouse's reason."""

    table: int
    token: str
    line: bytes
    reason: str


Record = Rows | TakenFrame | Finished | Adopted | Refused


class Frame(msgspec.Struct, frozen=True):
    """A frame that was read: the number of its first row, its records, and where in the file it begins and ends."""

    number: int
    records: list[Record]
    offset: int
    end: int


class Damage(msgspec.Struct, frozen=True):
    """Bytes of a file that belong to no good frame."""

    offset: int
    end: int


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[Record]).decode


def encode_frame(number: int, records: Sequence[Record]) -> bytes:
    """Return records as one frame.

    Args:
        number: number of the first row among them, or of the next row when there is none.
        records: at least one.
    """
    payload = _encode(records)
    return _HEADER.pack(MAGIC, len(payload), _checksum(number, payload), number) + payload


def read_frames(data: bytes, offset: int = 0) -> Iterator[Frame | Damage]:
    """Yield the good frames of a file in order, and the damaged stretches between and after them.

    Args:
        data: the file's bytes.
        offset: where a frame begins.
    """
    while offset < len(data):
        frame = _frame_at(data, offset)
        if frame is None:
            found = _next_frame(data, offset + 1)
            until = found.offset if found else offset + len(data[offset:].rstrip(b"\0"))
            if until > offset:
                yield Damage(offset, until)
            if found is None:
                return
            frame = found
        yield frame
        offset = frame.end


def _next_frame(data: bytes, offset: int) -> Frame | None:
    while (offset := data.find(MAGIC, offset)) >= 0:
        if frame := _frame_at(data, offset):
            return frame
        offset += 1
    return None


def _frame_at(data: bytes, offset: int) -> Frame | None:
    begin = offset + _HEADER.size
    if begin > len(data):
        return None
    magic, length, checksum, number = _HEADER.unpack_from(data, offset)
    if magic != MAGIC or begin + length > len(data):
        return None
    payload = memoryview(data)[begin : begin + length]
    if _checksum(number, payload) != checksum:
        return None
    try:
        return Frame(number, _decode(payload), offset, begin + length)
    except msgspec.MsgspecError:  # written by a version that knows other records
        return None


def _checksum(number: int, payload: bytes | memoryview) -> int:
    return crc32(payload, crc32(_NUMBER.pack(number)))
