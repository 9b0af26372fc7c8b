"""Finds the messages in a body that a decoder refused, so that a damaged one spoils only itself.

A message is found by its brackets, outside of texts. Where they do not fit, it ends where the list does, or where
another message begins. It takes time in proportion to the length of the body.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

#: A text; what leads to the next bracket outside of texts; and to the next mark.
_TEXT: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_KEY: Final = re.compile(rb"(%s)\s*+:\s*+" % _TEXT, re.DOTALL)
_TO_BRACKET: Final = re.compile(rb'(?:[^"{}\[\]]++|%s)*+([{}\[\]])' % _TEXT, re.DOTALL)
_TO_MARK: Final = re.compile(rb'(?:[^"{}\[\],]++|%s)*+(?=[{}\[\],])' % _TEXT, re.DOTALL)
#: What begins a message within a list of them; objects within a message begin with other names. And what ends the list.
_NEXT_MESSAGE: Final = re.compile(
    rb',\s*+\{\s*+"(?:type|event|messageId|anonymousId|userId|previousId|timestamp|originalTimestamp|channel|context'
    rb'|integrations|properties|traits|distinct_id|uuid)"\s*+:'
)
_LIST_END: Final = re.compile(rb"\]\s*+[,}]")
#: Messages with a text without an end, in one body.
_MOST_TORN: Final = 8
_BETWEEN: Final = re.compile(rb"[^\s\0,]")
_OPENED_BY: Final = {b"}": b"{", b"]": b"["}
#: Bytes before a brace in which the comma before it is looked for.
_LOOK_BACK: Final = 16
#: Bytes of what is no message that are passed on, so that somebody is told of it.
_MOST_REST: Final = 1024


class Parts(msgspec.Struct):
    """What was found in a body.

    Args:
        messages: each message as it stands there.
        fields: the names and values beside the messages of a batch, else in the first message, as they stand there.
        has_batch: whether it is a batch, rather than a list or a message.
        is_whole: whether the body has its end.
    """

    messages: list[bytes]
    fields: list[tuple[bytes, bytes]]
    has_batch: bool
    is_whole: bool


def split(body: bytes, most: int) -> Parts:
    """Return the messages of a body: a batch, a list of messages, or messages that follow one another.

    Args:
        body: begins with a brace or a bracket. What else stands behind its end is taken for a message, too, so that it
            is told that it cannot be read.
        most: of messages; one more at most is looked for.
    """
    found = _Splitter(body, most)
    is_whole = found.run()
    if body.startswith(b"[") and found.messages:
        first = _Splitter(found.messages[0], 1)
        first.run()
        found.fields = first.fields
    return Parts(found.messages, found.fields, found.has_batch, is_whole)


class _CutOffError(Exception):
    """The body ends within a value."""


class _EnoughError(Exception):
    """There are more messages than may be."""


class _Splitter:
    """Goes through a body once, from its beginning to its end."""

    def __init__(self, body: bytes, most: int) -> None:
        self.messages: list[bytes] = []
        self.fields: list[tuple[bytes, bytes]] = []
        self.has_batch = False
        self._torn = 0
        self._body = body
        self._most = most
        self._at = 0

    def run(self) -> bool:
        """Find everything; tell whether the body has its end."""
        try:
            while mark := self._next():
                if mark == b"{":
                    self._object()
                elif mark == b"[":
                    self._list()
                else:
                    self._keep(self._at, self._at + _MOST_REST)
                    break
        except _CutOffError:
            return False
        except _EnoughError:
            pass
        return True

    def _next(self) -> bytes:
        """Go to what follows, beyond blanks and commas, and return its first byte; b"" at the end."""
        found = _BETWEEN.search(self._body, self._at)
        self._at = found.start() if found else len(self._body)
        return found[0] if found else b""

    def _keep(self, begin: int, end: int) -> None:
        self.messages.append(self._body[begin:end])
        if len(self.messages) > self._most:
            raise _EnoughError

    def _object(self) -> None:
        """Take a batch, or a message; a second batch has a context of its own, and so is a message that is none."""
        begin, is_first, fields = self._at, not self.messages, list[tuple[bytes, bytes]]()
        self._at += 1
        while (mark := self._next()) != b"}":
            if not mark:
                raise _CutOffError
            key = _KEY.match(self._body, self._at)
            if key is None:
                self._skip_value()
                continue
            self._at = key.end()
            if is_first and key[1] == b'"batch"' and self._body.startswith(b"[", self._at):
                self.has_batch = True
                self._list()
                continue
            value = self._at
            self._skip_value()
            fields.append((key[1], self._body[value : self._at]))
        self._at += 1
        if is_first:
            self.fields = fields
        if not (is_first and self.has_batch):
            self._keep(begin, self._at)

    def _list(self) -> None:
        """Take the messages of a list."""
        self._at += 1
        while (mark := self._next()) != b"]":
            if not mark:
                raise _CutOffError
            begin = self._at
            try:
                self._skip_value()
            except _CutOffError:
                self._skip_torn(begin)
            self._keep(begin, self._at)
        self._at += 1

    def _skip_value(self) -> None:
        """Go behind a value, and at least one byte on."""
        begin = self._at
        if self._body[begin : begin + 1] in {b"{", b"["}:
            self._skip_nested()
            return
        mark = _TO_MARK.match(self._body, begin)
        if mark is None:
            raise _CutOffError
        self._at = max(mark.end(), begin + 1)

    def _skip_nested(self) -> None:
        """Go behind an object or a list; behind what is there of it, where its own end is missing."""
        begin, place, opened, counts = self._at, self._at, list[bytes](), {b"{": 0, b"[": 0}
        while found := _TO_BRACKET.match(self._body, place):
            bracket, place = found[1], found.end()
            if bracket in counts:
                if opened and bracket == b"{" == opened[-1] and self._follows_comma(place - 1):
                    self._at = place - 1
                    return
                opened.append(bracket)
                counts[bracket] += 1
                continue
            opener = _OPENED_BY[bracket]
            if not counts[opener]:
                self._at = max(place - 1, begin + 1)
                return
            while (last := opened.pop()) != opener:
                counts[last] -= 1
            counts[opener] -= 1
            if not opened:
                self._at = place
                return
        raise _CutOffError

    def _skip_torn(self, begin: int) -> None:
        """Go to where the next message seems to begin, else to the list's end: a text of this one has no end.

        Raises:
            _CutOffError: neither is there; or it happened too often, as each time costs a look at the rest of the body.
        """
        self._torn += 1
        found = _NEXT_MESSAGE.search(self._body, begin + 1)
        if found is None and self._body.endswith(b"}"):
            end = self._body.rfind(b"]")
            found = _LIST_END.match(self._body, end) if end > begin else None
        if found is None or self._torn > _MOST_TORN:
            raise _CutOffError
        self._at = found.start()

    def _follows_comma(self, place: int) -> bool:
        """Tell whether a brace stands where an object has the name of its next field: there another message begins."""
        return self._body[max(0, place - _LOOK_BACK) : place].rstrip().endswith(b",")
