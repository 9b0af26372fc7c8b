"""Keeps rendered texts within one line and a length: what fills them in came from a page."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_BLANKS: Final = re.compile(r"\s+")
_EMPTY_LINES: Final = re.compile(r"\n{3,}")

#: Unicode categories that steer a terminal, a header or the direction of text instead of being read.
_UNREADABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DIRECTION_OVERRIDES: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def one_line(text: str, longest: int) -> str:
    """Makes a text one line without control characters, cut with an ellipsis after so many characters."""
    readable = "".join(" " if _is_unreadable(character) else character for character in text)
    line = _BLANKS.sub(" ", readable).strip()
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def several_lines(text: str, longest: int) -> str:
    """Makes a text without control characters but line feeds, cut with three dots after so many characters.

    No two lines in a row are empty. The dots are dots, because an ellipsis is no letter of a text message.
    """
    lines = [one_line(line, longest + 1) for line in text.splitlines()]
    joined = _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()
    return joined if len(joined) <= longest else joined[: longest - 3].rstrip() + "..."


def _is_unreadable(character: str) -> bool:
    return unicodedata.category(character) in _UNREADABLE or character in _DIRECTION_OVERRIDES
