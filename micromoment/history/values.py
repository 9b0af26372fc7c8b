"""Finds the values of a long JSON text one after another: the elements of an array, or objects over several lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from micromoment.history.lines import MAX_LINE_BYTES, NoteLine
from micromoment.history.packed import GAP
from micromoment.history.report import LineDrop

#: Everything up to the next bracket, what stands in quotation marks as a whole.
_UP_TO_BRACKET: Final = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_QUOTED: Final = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_BETWEEN: Final = b" \t\r\n,\x1e"
_TOO_LONG: Final = f"the value is longer than {MAX_LINE_BYTES:,} bytes"


def json_values(blocks: Iterable[bytes], note: NoteLine) -> Iterator[tuple[int, bytes]]:
    """Yield each object of a text with the number of the line on which it begins.

    The objects may be the elements of one or several arrays, or stand one after another.

    Args:
        blocks: the text, as UTF-8; `GAP` where some of it is missing, after which nothing more is read: brackets that
            nobody has seen may have opened there.
        note: called for values that are too long, cut off, or no objects.
    """
    reading = _Reading(note)
    for block in blocks:
        if block == GAP:
            break
        yield from reading.take(block)
    reading.end()


class _Reading:
    """The text that was read and belongs to no finished value."""

    def __init__(self, note: NoteLine) -> None:
        self._note = note
        self._text = b""
        #: Up to where brackets were looked for, and whether that is inside quotation marks.
        self._place = 0
        self._is_quoted = False
        #: Where the open value begins, or what follows the last one.
        self._begin = 0
        self._line = 1
        #: The brackets that are open, but for that of the array around the values.
        self._depth = 0
        self._in_array = False
        self._is_too_long = False

    def take(self, block: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the values that end in a block of text."""
        self._text += block
        while (at := self._next_bracket()) >= 0:
            opens = self._text[at] in b"{["
            if self._depth == 0:
                self._enter(at, opens=opens)
                continue
            self._depth += 1 if opens else -1
            if self._depth == 0:
                yield from self._finished(at + 1)
        self._shorten()

    def end(self) -> None:
        """Note what is not finished at the end of the text."""
        if self._depth:
            self._note(self._line, LineDrop.CUT_OFF, "the value does not end: the end of the file is missing")
            return
        self._pass_over(len(self._text))
        if self._in_array:
            self._note(self._line, LineDrop.CUT_OFF, "the array does not end: the end of the file is missing")

    def _next_bracket(self) -> int:
        """Return the place of the next bracket that is not quoted, and go behind it; -1 when it is not there yet."""
        text = self._text
        if self._is_quoted:
            self._place = _end(_QUOTED, text, self._place)
            if text[self._place : self._place + 1] != b'"':
                return -1
            self._place, self._is_quoted = self._place + 1, False
        at = self._place = _end(_UP_TO_BRACKET, text, self._place)
        if text[at : at + 1] in (b"", b'"'):
            return -1
        self._place = at + 1
        return at

    def _enter(self, at: int, *, opens: bool) -> None:
        """Pass a bracket that lies in no value: it opens one, or the array, or ends the array."""
        self._pass_over(at)
        if not opens:
            self._in_array, self._begin = False, at + 1
        elif self._text[at : at + 1] == b"[" and not self._in_array:
            self._in_array, self._begin = True, at + 1
        else:
            self._depth = 1

    def _pass_over(self, to: int) -> None:
        """Go on to a place, and note what stands between values and is neither white space nor a comma."""
        between = self._text[self._begin : to]
        for part in between.split(b","):
            if word := part.strip(_BETWEEN):
                line = self._line + part[: part.find(word)].count(b"\n")
                self._note(line, "malformed", f"a JSON object was expected, not {word[:20].decode(errors='replace')}")
            self._line += part.count(b"\n")
        self._begin = to

    def _finished(self, end: int) -> Iterator[tuple[int, bytes]]:
        value = self._text[self._begin : end]
        if self._is_too_long or len(value) > MAX_LINE_BYTES:
            self._is_too_long = False
            self._note(self._line, "too_large", _TOO_LONG)
        else:
            yield self._line, value
        self._line += value.count(b"\n")
        self._begin = end

    def _shorten(self) -> None:
        """Let go of text that is not needed any more; of a value that is too long, of all that was looked at."""
        if self._depth and len(self._text) - self._begin > MAX_LINE_BYTES:
            self._is_too_long = True
        if self._is_too_long:
            if self._text[self._place : self._place + 1] == b'"' and not self._is_quoted:
                self._is_quoted, self._place = True, self._place + 1
            if self._is_quoted:
                self._place = _end(_QUOTED, self._text, self._place)
            self._line += self._text.count(b"\n", self._begin, self._place)
            self._begin = self._place
        elif not self._depth and len(self._text) - self._begin > MAX_LINE_BYTES:
            self._pass_over(self._place)
        self._text = self._text[self._begin :]
        self._place -= self._begin
        self._begin = 0


def _end(pattern: re.Pattern[bytes], text: bytes, place: int) -> int:
    found = pattern.match(text, place)
    return found.end() if found else place
