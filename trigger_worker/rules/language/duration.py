"""Parse durations such as `15m` into ms, and format ms as durations."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from warehouse.errors import RuleError

#: Each unit of the language in ms, largest first.
UNITS_MS: Final[dict[str, int]] = {
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}

DAY_MS: Final = UNITS_MS["d"]

#: The longest window, gap or wait, in ms.
LONGEST_WINDOW_MS: Final = 400 * DAY_MS

_DURATION: Final = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(ms|s|m|h|d|w)", re.ASCII)


def parse_duration(text: str) -> int:
    """Return the ms of a number followed by one of the units ms s m h d w, rounded down.

    Args:
        text: for example `15m`, `0.5h` or `250ms`; surrounding blanks are ignored.

    Raises:
        RuleError: the text is no duration.
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
    """Return ms as a duration in the largest unit that divides them; parsing it gives them back."""
    if duration_ms == 0:
        return "0s"
    for unit, unit_ms in UNITS_MS.items():
        if duration_ms % unit_ms == 0:
            return f"{duration_ms // unit_ms}{unit}"
    raise AssertionError("every whole number of milliseconds is divisible by 1ms")
