"""What ClickHouse answered to an operator, made safe for terminals and spreadsheets."""

from __future__ import annotations

import re
from typing import Final

from micromoment.terminal.text import harmless

#: Formats for people, which pass on the characters that pages sent.
_FOR_PEOPLE: Final = ("pretty", "vertical", "markdown")
#: A cell in quotes with its content, or one without; ClickHouse writes every text in quotes.
_CSV_CELL: Final = re.compile(rb'"((?:[^"]|"")*)"')
_TSV_CELL: Final = re.compile(rb"[^\t\n]+")
#: How a cell begins that a spreadsheet calculates; full-width signs count where they are typed.
_CALCULATED: Final = tuple(
    sign.encode() for sign in ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
)
_NUMBER: Final = re.compile(rb"[+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|inf|nan)")


def shown_answer(answer: bytes, format_name: str, *, is_terminal: bool) -> bytes:
    """Return an answer as it is printed.

    Args:
        answer: as ClickHouse gave it.
        format_name: the format of it.
        is_terminal: whether a terminal shows it; there, and in formats for people, characters that a terminal might
            obey are replaced.
    """
    if is_terminal or format_name.lower().startswith(_FOR_PEOPLE):
        return harmless(answer.decode("utf-8", "replace")).encode()
    return answer


def guarded_answer(answer: bytes, format_name: str) -> bytes:
    """Return a table for spreadsheets in which no cell is calculated: such a cell gets an apostrophe before it.

    Args:
        answer: as ClickHouse gave it.
        format_name: the format of it; only CSV and TSV are changed.
    """
    name = format_name.lower()
    if name.startswith("csv"):
        return _CSV_CELL.sub(_guard_quoted, answer)
    if name.startswith(("tsv", "tabseparated")):
        return _TSV_CELL.sub(_guard_plain, answer)
    return answer


def _guard_quoted(match: re.Match[bytes]) -> bytes:
    return b"\"'" + match[1] + b'"' if match[1].startswith(_CALCULATED) else match[0]


def _guard_plain(match: re.Match[bytes]) -> bytes:
    cell = match[0]
    # TSV writes tab and line break as \t and \n.
    is_text = cell.startswith((*_CALCULATED, b"\\t", b"\\r", b"\\n")) and not _NUMBER.fullmatch(cell)
    return b"'" + cell if is_text else cell
