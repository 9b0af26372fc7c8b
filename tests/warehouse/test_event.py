from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.event import LASTING_DAYS, epoch_ms, format_time, kept_days

LATEST_MS = 4_102_444_800_000  # 2100-01-01
moments = st.integers(min_value=0, max_value=LATEST_MS)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (0, "1970-01-01 00:00:00.000"),
        (1, "1970-01-01 00:00:00.001"),
        (999, "1970-01-01 00:00:00.999"),
        (951_782_400_000, "2000-02-29 00:00:00.000"),
        (1_795_348_800_123, "2026-11-22 12:00:00.123"),
    ],
)
def test_a_moment_is_written_as_clickhouse_reads_it(moment: int, expected: str) -> None:
    assert format_time(moment) == expected


@given(moments)
def test_what_is_written_is_read_back_to_the_millisecond(moment: int) -> None:
    assert epoch_ms(datetime.fromisoformat(format_time(moment))) == moment


@given(moments, moments)
def test_text_sorts_as_time_does(one: int, other: int) -> None:
    assert (one < other) == (format_time(one) < format_time(other))


@given(
    st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2099, 12, 30)),  # noqa: DTZ001 - naive on purpose
    st.integers(min_value=-14 * 60, max_value=14 * 60),
)
def test_a_moment_is_the_same_whatever_zone_it_is_told_in(naive: datetime, offset_minutes: int) -> None:
    moment = naive.replace(tzinfo=UTC)
    told = moment.astimezone(timezone(timedelta(minutes=offset_minutes)))
    assert epoch_ms(told) == epoch_ms(moment) == epoch_ms(naive)


def test_digits_beyond_milliseconds_are_cut_and_not_rounded() -> None:
    assert epoch_ms(datetime(1970, 1, 1, 0, 0, 0, 1999, UTC)) == 1


@pytest.mark.parametrize(
    ("event", "site_days", "days"),
    [
        ("page_view", 30, 30),
        ("unsubscribed", 30, LASTING_DAYS),
        ("email_bounced", 400, LASTING_DAYS),
        ("consent", LASTING_DAYS + 1, LASTING_DAYS + 1),
    ],
)
def test_what_was_refused_outlives_what_was_done(event: str, site_days: int, days: int) -> None:
    assert kept_days(event, site_days) == days
