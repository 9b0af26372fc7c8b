"""`at: "10:00"`: the next such time on the visitor's clock."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from trigger_worker.rules.evaluate.calendar import local_time
from warehouse.event import epoch_ms


def next_local_time(minute: int, now_ms: int, zone_name: str) -> int:
    """Return when a clock in the zone next shows a time, in epoch milliseconds; now counts.

    A time that the clock skips in spring is taken as the hour after it.

    Args:
        minute: minutes after local midnight.
        now_ms: epoch milliseconds.
        zone_name: of the tz database; UTC when unknown.
    """
    local = local_time(now_ms, zone_name)
    wall = time(minute // 60, minute % 60)
    days = (datetime.combine(local.date() + timedelta(days), wall, local.tzinfo) for days in range(3))
    return next(at for at in map(epoch_ms, days) if at >= now_ms)
