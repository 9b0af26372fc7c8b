"""Reads the header by which an HTTP peer asks to be left alone for a while."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

#: A peer cannot make us wait longer, in seconds.
LONGEST_RETRY_AFTER_S: Final = 86_400.0


def parse_retry_after(text: str, now_ms: int) -> float | None:
    """Reads `Retry-After`: a number of seconds, or a date.

    Args:
        text: the value of the header.
        now_ms: the present, in milliseconds since 1970.

    Returns:
        Seconds from now, from 0 to a day; None when the text is neither.
    """
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 12:
        seconds = float(text)
    else:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = zoned.timestamp() - now_ms / 1000
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)
