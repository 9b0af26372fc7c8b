"""Durations such as `15m`, read into milliseconds and written back."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from warehouse.errors import RuleError

#: Milliseconds in each unit of the language, largest first.
UNITS_MS: Final[dict[str, int]] = {
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}

DAY_MS: Final = UNITS_MS["d"]

#: Windows, gaps and waits reach no further back than this.
LONGEST_WINDOW_MS: Final = 400 * DAY_MS

_DURATION: Final = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(ms|s|m|h|d|w)", re.ASCII)


def parse_duration(text: str) -> int:
    """Reads a number followed by one of the units ms s m h d w.

    Args:
        text: for example `15m`, `0.5h` or `250ms`; surrounding blanks are ignored.

    Returns:
        Milliseconds, rounded down; never negative.

    Raises:
        RuleError: when the text is anything else.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise RuleError(
            f'expected a duration such as 15m, found "{text}"',
            hint="write a number followed by ms, s, m, h, d or w",
        )
    number, unit = match.groups()
    return int(Decimal(number) * UNITS_MS[unit])


def format_duration(duration_ms: int) -> str:
    """Writes milliseconds in the largest unit that divides them, so that reading gives them back."""
    if duration_ms == 0:
        return "0s"
    for unit, unit_ms in UNITS_MS.items():
        if duration_ms % unit_ms == 0:
            return f"{duration_ms // unit_ms}{unit}"
    raise AssertionError("every whole number of milliseconds is divisible by 1ms")
