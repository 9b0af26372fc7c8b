"""The visitor's clock."""

from __future__ import annotations

import pytest

from tests.trigger_worker.rules.evaluate.support import event, value_of


@pytest.mark.parametrize(
    ("timezone", "after", "hour", "weekday"),
    [
        ("UTC", "0s", 12, 7),
        ("Europe/Berlin", "0s", 13, 7),
        ("Asia/Kolkata", "30m", 18, 7),
        ("Pacific/Kiritimati", "0s", 2, 1),
        ("America/Los_Angeles", "12h", 16, 7),
        ("Nowhere/City", "0s", 12, 7),
        ("../../etc/passwd", "0s", 12, 7),
        ("Europe", "0s", 12, 7),
        ("\0", "0s", 12, 7),
    ],
)
def test_the_local_clock_shows(timezone: str, after: str, hour: int, weekday: int) -> None:
    seen = [event("page_view", "-1h", timezone=timezone)]
    assert value_of("local_hour", seen, after) == hour
    assert value_of("local_weekday", seen, after) == weekday


def test_an_unknown_timezone_is_utc() -> None:
    assert value_of("local_hour", []) == 12


def test_summer_time_is_kept() -> None:
    seen = [event("page_view", "-200d", timezone="Europe/Berlin")]
    assert value_of("local_hour", seen, "-180d") == 14
