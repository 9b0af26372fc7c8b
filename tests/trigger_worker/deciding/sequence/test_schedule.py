"""The next time of day on the visitor's clock."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from trigger_worker.deciding.sequence.schedule import next_local_time


@pytest.mark.parametrize(
    ("zone", "now", "at", "expected"),
    [
        ("Europe/Berlin", "2026-11-22T09:00+01:00", "10:00", "2026-11-22T10:00+01:00"),
        ("Europe/Berlin", "2026-11-22T10:00+01:00", "10:00", "2026-11-22T10:00+01:00"),
        ("Europe/Berlin", "2026-11-22T10:00:00.001+01:00", "10:00", "2026-11-23T10:00+01:00"),
        ("America/New_York", "2026-11-22T23:30+00:00", "18:30", "2026-11-22T18:30-05:00"),
        ("America/New_York", "2026-11-23T01:00+00:00", "19:00", "2026-11-23T19:00-05:00"),
        ("Pacific/Auckland", "2026-11-22T23:30+00:00", "10:00", "2026-11-24T10:00+13:00"),
        ("", "2026-11-22T09:00+00:00", "10:00", "2026-11-22T10:00+00:00"),
        ("No/Where", "2026-11-22T09:00+00:00", "10:00", "2026-11-22T10:00+00:00"),
        # The last Sunday of March in Berlin: 02:00 to 03:00 does not exist.
        ("Europe/Berlin", "2027-03-28T01:00+01:00", "02:30", "2027-03-28T03:30+02:00"),
        ("Europe/Berlin", "2027-03-27T12:00+01:00", "10:00", "2027-03-28T10:00+02:00"),
        # The last Sunday of October: 02:00 to 03:00 comes twice, and the first counts.
        ("Europe/Berlin", "2026-10-25T00:30+02:00", "02:30", "2026-10-25T02:30+02:00"),
        ("Europe/Berlin", "2026-10-25T02:45+02:00", "02:30", "2026-10-26T02:30+01:00"),
        ("Europe/Berlin", "2026-10-24T12:00+02:00", "10:00", "2026-10-25T10:00+01:00"),
        ("Europe/Berlin", "2026-12-31T23:59+01:00", "00:00", "2027-01-01T00:00+01:00"),
    ],
)
def test_it_is_the_next_such_time_and_now_counts(zone: str, now: str, at: str, expected: str) -> None:
    hour, minute = at.split(":")
    due_at = next_local_time(int(hour) * 60 + int(minute), milliseconds(now), zone)
    assert due_at == milliseconds(expected), datetime.fromtimestamp(due_at / 1000, ZoneInfo(zone or "UTC"))


def milliseconds(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)
