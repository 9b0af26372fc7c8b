"""Conversion between values and the text of a terminal: tables, lines of JSON, printable text and instants."""

from __future__ import annotations

import json
import os
import pwd
import re
from collections.abc import Sequence
from typing import Final

import click
import msgspec

from warehouse.time_reading import read_time
from warehouse.time_text import TimeTrouble

#: What a terminal might obey, or what turns the order of letters around: control characters but for tab and line
#: break, marks of writing direction, separators of lines, tags, and halves of characters.
_OBEYED: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\U000e0000-\U000e007f"
    "\ud800-\udfff]"
)


def say(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print text of any origin: what a terminal might obey is replaced.

    Args:
        text: one or more lines.
        err: whether it goes to the standard error.
        nl: whether a line break follows.
    """
    click.echo(harmless(text), err=err, nl=nl)


def harmless(text: str) -> str:
    """Replace every character that a terminal might obey, and keep lines and tabs."""
    return _OBEYED.sub("\ufffd", text)


def user_name() -> str:
    """Return the name of the user of the machine who runs this process."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Return rows as lines of aligned columns below a header; the text ends with a line break.

    Args:
        header: the names of the columns.
        rows: the cells of each row, as many as there are columns.
        left: the number of columns, from the first, that are aligned to the left; the others hold figures.
    """
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(header))]
    return "".join(f"{_joined(line, widths, left)}\n" for line in lines)


def json_line(value: object) -> str:
    """Return a value as one line of JSON that ends with a line break; what a terminal might obey is escaped."""
    return f"{_OBEYED.sub(_escaped, msgspec.json.encode(value).decode())}\n"


def plain(text: str) -> str:
    """Replace every character that a terminal might obey, in text that pages, visitors or peers chose."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)


class Instant(click.ParamType[int]):
    """The type of an option that takes an instant such as `2026-11-22T12:00:00Z` and passes on epoch ms.

    It takes every form in which senders write times; without an offset it is taken as UTC.
    """

    name = "instant"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the instant as epoch ms, or fail with a message that shows the expected form."""
        if isinstance(value, int):
            return value
        found = read_time(value)
        if isinstance(found, TimeTrouble):
            self.fail(f"expected an instant such as 2026-11-22T12:00:00Z, found {value!r}", param, ctx)
        return found.ms


def _escaped(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]


def _joined(line: Sequence[str], widths: Sequence[int], left: int) -> str:
    cells = [
        text.ljust(width) if place < left else text.rjust(width)
        for place, (text, width) in enumerate(zip(line, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()
