"""Convert instants to the local time of a visitor."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from trigger_worker.rules.evaluate.event import Value


def local_time(at: int, timezone: Value) -> datetime:
    """Return an instant in a timezone.

    Args:
        at: epoch ms.
        timezone: an IANA name as the browser sent it; UTC when it is missing or no such zone exists.
    """
    return datetime.fromtimestamp(at / 1000, _zone(timezone))


@lru_cache(maxsize=1024)
def _zone(timezone: Value) -> tzinfo:
    if not isinstance(timezone, str):
        return UTC
    try:
        return ZoneInfo(timezone)
    except (ValueError, LookupError, OSError):
        return UTC
