"""Hours in which a visitor is left alone, on the visitor's own clock."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from trigger_worker.rules.evaluate.calendar import local_time
from trigger_worker.rules.model import QuietHours
from warehouse.event import epoch_ms


def quiet_until_ms(quiet: QuietHours, now_ms: int, zone_name: str) -> int | None:
    """Finds when the quiet that holds now is over.

    Where the clocks go forward over the end of the quiet, it lasts as long as if they had not; where they go
    back over it, it ends at the first of the two equal times and holds once more before the second.

    Args:
        quiet: the daily span.
        now_ms: the instant asked about, in milliseconds since 1970.
        zone_name: the visitor's zone, as the tz database names it; any other text means UTC.

    Returns:
        The end in milliseconds since 1970, later than `now_ms`; None when it is not quiet.
    """
    local = local_time(now_ms, zone_name)
    minute = local.hour * 60 + local.minute
    if not is_quiet(quiet, minute):
        return None
    ends_tomorrow = _passes_midnight(quiet) and minute >= quiet.start_minute
    end_date = local.date() + timedelta(days=1 if ends_tomorrow else 0)
    end = datetime.combine(end_date, _clock(quiet.end_minute), tzinfo=local.tzinfo)
    end_ms = epoch_ms(end)
    return end_ms if end_ms > now_ms else epoch_ms(end.replace(fold=1))


def is_quiet(quiet: QuietHours, minute: int) -> bool:
    """Tells whether it is quiet so many minutes after local midnight: from the start until just before the end."""
    if _passes_midnight(quiet):
        return minute >= quiet.start_minute or minute < quiet.end_minute
    return quiet.start_minute <= minute < quiet.end_minute


def format_quiet(quiet: QuietHours) -> str:
    """Writes a span as rules do: `21:00-09:00`."""
    return f"{_clock(quiet.start_minute):%H:%M}-{_clock(quiet.end_minute):%H:%M}"


def _passes_midnight(quiet: QuietHours) -> bool:
    return quiet.start_minute > quiet.end_minute


def _clock(minute: int) -> time:
    return time(minute // 60, minute % 60)
