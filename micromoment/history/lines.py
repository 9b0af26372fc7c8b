"""Turns the bytes of a file into UTF-8, and that into numbered lines, however they are encoded and ended."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Final

from micromoment.history.packed import GAP
from micromoment.history.report import LineDrop
from warehouse.errors import ConfigurationError

#: What is looked at to find out what a file holds.
HEAD_BYTES: Final = 64 * 1024
#: The longest line that is kept in memory; no event is as long.
MAX_LINE_BYTES: Final = 1024 * 1024
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: Called with the number of a line that cannot be used, the reason and the detail.
NoteLine = Callable[[int, str, str], None]


class FileText:
    """The text of a file, as UTF-8 without a byte order mark, in blocks.

    Args:
        blocks: the plain bytes.
        encoding: what the operator says it is; '' to find out.

    Raises:
        ConfigurationError: there is no such encoding.
    """

    def __init__(self, blocks: Iterable[bytes], encoding: str = "") -> None:
        beginning, rest = _beginning(blocks)
        self.encoding = _known(encoding) or _recognised(beginning)
        bom = next((mark for mark, name in _BOMS if name == self.encoding and beginning.startswith(mark)), b"")
        raw = chain([beginning[len(bom) :]], rest) if beginning else rest
        self._blocks = raw if self.encoding == "utf-8" else _decoded(raw, self.encoding)
        self.head, self._blocks = _beginning(self._blocks)
        self._is_old_mac = b"\r" in self.head and b"\n" not in self.head

    def blocks(self) -> Iterator[bytes]:
        """Yield the blocks; `GAP` stands where some bytes are missing."""
        for block in chain([self.head] if self.head else [], self._blocks):
            yield block.replace(b"\r", b"\n") if self._is_old_mac else block

    def lines(self, note: NoteLine) -> Iterator[tuple[int, bytes]]:
        """Yield each line without its end, with its number, from 1.

        Args:
            note: called for lines that are too long, or cut off.
        """
        return _lines(self.blocks(), note)


def _beginning(blocks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first bytes of blocks, up to a gap, and the rest."""
    rest, beginning = iter(blocks), b""
    for block in rest:
        if block == GAP:
            return beginning, chain([GAP], rest)
        beginning += block
        if len(beginning) >= HEAD_BYTES:
            break
    return beginning, rest


def _known(encoding: str) -> str:
    if not encoding:
        return ""
    try:
        name = codecs.lookup(encoding).name
    except LookupError as error:
        remedy = "say for example windows-1252, iso-8859-15 or utf-16"
        raise ConfigurationError(f"--encoding: there is no encoding {encoding!r}", remedy) from error
    return "utf-8" if name == "utf-8-sig" else name


def _recognised(beginning: bytes) -> str:
    """Return the encoding of a beginning: by its mark, or by where the zeros of its first characters are."""
    for mark, name in _BOMS:
        if beginning.startswith(mark):
            return name
    zeros = "".join("0" if byte == 0 else "." for byte in beginning[:4])
    return {".0.0": "utf-16-le", "0.0.": "utf-16-be"}.get(zeros, "utf-8")


def _decoded(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for block in blocks:
        if block == GAP:
            decoder.reset()
            yield GAP
            continue
        # A mark that nobody looked for, as after `--encoding utf-16-le`, is no part of the text.
        if text := decoder.decode(block).lstrip("\ufeff"):
            yield text.encode(errors="replace")


def _lines(blocks: Iterable[bytes], note: NoteLine) -> Iterator[tuple[int, bytes]]:
    number, rest, is_too_long = 0, b"", False
    for block in blocks:
        if block == GAP:
            if rest or is_too_long:
                number += 1
                note(number, LineDrop.CUT_OFF, "it ends where bytes of the file are missing")
            rest, is_too_long = b"", False
            continue
        first, *others = block.split(b"\n")
        if not is_too_long:
            first = rest + first
        whole, rest = ([first, *others[:-1]], others[-1]) if others else ([], first)
        for line in whole:
            number += 1
            if is_too_long:
                is_too_long = False
                note(number, "too_large", f"the line is longer than {MAX_LINE_BYTES:,} bytes")
            else:
                yield number, _whole(line)
        if len(rest) > MAX_LINE_BYTES or is_too_long:
            rest, is_too_long = b"", True
    if is_too_long:
        note(number + 1, "too_large", f"the line is longer than {MAX_LINE_BYTES:,} bytes")
    elif rest:
        yield number + 1, _whole(rest)


def _whole(line: bytes) -> bytes:
    line = line.removesuffix(b"\r")
    # Files that were put together have a mark at the beginning of each.
    return line.removeprefix(codecs.BOM_UTF8)
