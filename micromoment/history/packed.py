"""Reads the plain bytes of a file that may be packed, in pieces of bounded size, past what is damaged."""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

import msgspec

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: The most plain bytes that are handed on at once.
BLOCK_BYTES: Final = 256 * 1024
#: Packed bytes that are unpacked at once: as much of a damaged file is lost at most.
_FEED_BYTES: Final = 4096
#: Memory for one file, beyond which xz gives up; the other methods have bounds of their own.
_XZ_BYTES: Final = 256 * 1024**2
#: Stands in the stream where bytes are missing.
GAP: Final = b""
#: Errors of the four methods about their input.
_DAMAGED: Final = (zlib.error, lzma.LZMAError, zstd.ZstdError, OSError, EOFError, ValueError)


class _Unpacker(Protocol):
    """One member of a packed file, as Python's own modules unpack it."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return further plain bytes, at most so many."""


class Packing(msgspec.Struct, frozen=True):
    """A way to pack files.

    Args:
        name: what people call it.
        magic: the bytes with which each member begins.
        open: makes what unpacks one member.
    """

    name: str
    magic: bytes
    open: Callable[[], Any]


class _Gunzip:
    """One member of a gzip file; of a damaged one, everything before the damage is unpacked."""

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        self._waiting = b""
        self._error: zlib.error | None = None
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inflater.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflater.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return further plain bytes, at most so many."""
        if self._error is not None:
            raise self._error
        before, data = self._inflater.copy(), self._waiting + data
        try:
            plain = self._inflater.decompress(data, max_length)
        except zlib.error as error:
            self._error, self.needs_input = error, False
            return _salvaged(before, data, max_length)
        self._waiting = self._inflater.unconsumed_tail
        self.needs_input = not self._waiting and len(plain) < max_length
        return plain


def _salvaged(inflater: Any, data: bytes, max_length: int) -> bytes:  # noqa: ANN401 - zlib names no type for it
    plain = b""
    try:
        for place in range(len(data)):
            plain += inflater.decompress(data[place : place + 1], max_length)
    except zlib.error:
        pass
    return plain


PACKINGS: Final = (
    Packing("gzip", b"\x1f\x8b\x08", _Gunzip),
    Packing("zstd", b"\x28\xb5\x2f\xfd", zstd.ZstdDecompressor),
    Packing("bzip2", b"BZh", bz2.BZ2Decompressor),
    Packing("xz", b"\xfd7zXZ\x00", lambda: lzma.LZMADecompressor(memlimit=_XZ_BYTES)),
)


class Unpacked:
    """The plain bytes of a file.

    Args:
        read: returns up to so many further bytes of the file, none at its end.
        note: called with each damage, in words.
    """

    def __init__(self, read: Callable[[int], bytes], note: Callable[[str], None]) -> None:
        self._read = read
        self._note = note
        self._ahead = read(_FEED_BYTES)
        self._passed = len(self._ahead)
        #: The packed bytes that were unpacked last: after damage, another member may begin among them.
        self._last = b""
        self._is_damaged = False
        self.packing = next((each for each in PACKINGS if self._ahead.startswith(each.magic)), None)

    def blocks(self) -> Iterator[bytes]:
        """Yield the plain bytes in blocks; `GAP` stands where some are missing."""
        if self.packing is None:
            yield from self._plain()
            return
        while self._seek(self.packing):
            yield from self._member(self.packing)

    def _plain(self) -> Iterator[bytes]:
        if self._ahead:
            yield self._ahead
        while block := self._read(BLOCK_BYTES):
            yield block

    def _member(self, packing: Packing) -> Iterator[bytes]:
        unpacker: _Unpacker = packing.open()
        try:
            while not unpacker.eof:
                data = self._take() if unpacker.needs_input else b""
                if unpacker.needs_input and not data:
                    self._note(f"the {packing.name} data ends too early: the rest of the file is missing")
                    yield GAP
                    return
                plain = unpacker.decompress(data, BLOCK_BYTES)
                if plain:
                    yield plain
        except _DAMAGED as error:
            if not self._is_damaged:
                self._note(f"the {packing.name} data is damaged before byte {self._passed:,} of the file: {error}")
            self._is_damaged, self._ahead = True, self._last[1:]
            yield GAP
            return
        self._ahead = unpacker.unused_data + self._ahead

    def _take(self) -> bytes:
        data = self._ahead or self._read(_FEED_BYTES)
        if not self._ahead:
            self._passed += len(data)
        self._ahead = b""
        self._last = data or self._last
        return data

    def _seek(self, packing: Packing) -> bool:
        """Go to the beginning of the next member; tell whether there is one."""
        magic = packing.magic
        while True:
            place = self._ahead.find(magic)
            self._note_unknown(packing, self._ahead[: max(0, place)] if place >= 0 else self._ahead)
            if place >= 0:
                self._ahead = self._ahead[place:]
                return True
            tail = self._ahead[len(self._ahead) - len(magic) + 1 :] if len(self._ahead) >= len(magic) else self._ahead
            further = self._read(_FEED_BYTES)
            if not further:
                return False
            self._passed += len(further)
            self._ahead = tail + further

    def _note_unknown(self, packing: Packing, passed_over: bytes) -> None:
        if not self._is_damaged and passed_over.strip(b"\0"):
            self._is_damaged = True
            self._note(f"after its {packing.name} data the file has bytes that are none: they are passed over")
