"""Times in every form that senders write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.time_reading import EARLIEST_MS, LATEST_MS, is_said, read_event_time, read_time
from warehouse.time_text import ReadTime, TimeTrouble

#: Friday 20 November 2026, midnight in UTC, and 01:02:03 of it.
DAY: Final = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp() * 1000)
AT: Final = DAY + 3_723_000
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # ISO 8601, extended and basic.
        ("2026-11-20T01:02:03Z", AT),
        ("2026-11-20T01:02:03.250Z", AT + 250),
        ("2026-11-20t01:02:03z", AT),
        ("2026-11-20T01:02Z", AT - 3000),
        ("2026-11-20T01Z", AT - 123_000),
        ("20261120T010203Z", AT),
        ("20261120T010203.5Z", AT + 500),
        ("20261120T0102Z", AT - 3000),
        ("20261120T01:02:03Z", AT),
        ("2026-11-20T010203Z", AT),
        ("2026-11-20T01:02:03,5Z", AT + 500),
        ("2026-11-20T01:02:03.1Z", AT + 100),
        ("2026-11-20T01:02:03.123456789Z", AT + 123),
        ("2026-11-20T01:02:03.999999999Z", AT + 999),
        ("2026-11-20T01:02:03+00", AT),
        ("2026-11-20T01:02:03+0000", AT),
        ("2026-11-20T01:02:03+00:00", AT),
        ("2026-11-20T01:02:03-00:00", AT),
        ("2026-11-20T01:02:03+05:30", AT - 330 * MINUTE_MS),
        ("2026-11-20T01:02:03-0330", AT + 210 * MINUTE_MS),
        ("2026-11-20T01:02:03.123+14:00", AT + 123 - 14 * HOUR_MS),
        ("2026-11-20T01:02:03\u221203:30", AT + 210 * MINUTE_MS),
        ("2026-11-20T01:02:03+01:00[Europe/Berlin]", AT - HOUR_MS),
        ("2026-11-20T24:00:00Z", DAY + 24 * HOUR_MS),
        ("2026-12-31T23:59:60Z", int(datetime(2027, 1, 1, tzinfo=UTC).timestamp() * 1000)),
        ("  2026-11-20T01:02:03Z\n", AT),
        ('"2026-11-20T01:02:03Z"', AT),
        # SQL, ClickHouse, Ruby, Go.
        ("2026-11-20 01:02:03+00", AT),
        ("2026-11-20 01:02:03 +0000", AT),
        ("2026-11-20 01:02:03 UTC", AT),
        ("2026-11-20 01:02:03 gmt", AT),
        ("2026-11-20 01:02:03.123456+02", AT + 123 - 2 * HOUR_MS),
        ("2026-11-20 01:02:03 +0100 CET", AT - HOUR_MS),
        ("2026-11-20 01:02:03.5 +0000 UTC m=+0.012345", AT + 500),
        ("2026-11-20 01:02:03 CET", AT - HOUR_MS),
        # Mails, HTTP and logs.
        ("Fri, 20 Nov 2026 01:02:03 GMT", AT),
        ("Sat, 20 Nov 2026 01:02:03 GMT", AT),
        ("20 Nov 2026 01:02 +0100", AT - 3000 - HOUR_MS),
        ("Fri, 20 Nov 2026 01:02:03 EST", AT + 5 * HOUR_MS),
        ("Friday, 20-Nov-26 01:02:03 GMT", AT),
        ("Fri Nov 20 01:02:03 UTC 2026", AT),
        ("Fri Nov 20 01:02:03 +0000 2026", AT),
        ("20/Nov/2026:01:02:03 +0000", AT),
        # JavaScript and .NET.
        ("Fri Nov 20 2026 01:02:03 GMT+0100 (Central European Standard Time)", AT - HOUR_MS),
        ("Fri Nov 20 2026 01:02:03 GMT+0100 (Mitteleuropäische Normalzeit)", AT - HOUR_MS),
        ("Fri Nov 20 2026 01:02:03 GMT-0330", AT + 210 * MINUTE_MS),
        ("/Date(1795136523000)/", AT),
        # Numbers, also as text.
        (1_795_136_523, AT),
        (1_795_136_523.25, AT + 250),
        (1_795_136_523_000, AT),
        (1_795_136_523_000.0, AT),
        (1_795_136_523_000_000, AT),
        (1_795_136_523_000_000_000, AT),
        ("1795136523", AT),
        ("1795136523.123", AT + 123),
        (" 1795136523000 ", AT),
        ("1795136523000.7", AT),
        ("1795136523000000", AT),
        ("1795136523000000000", AT),
        # Objects.
        ({"$date": "2026-11-20T01:02:03Z"}, AT),
        ({"$date": 1_795_136_523_000}, AT),
        ({"$date": {"$numberLong": "1795136523000"}}, AT),
        ({"seconds": 1_795_136_523, "nanos": 250_000_000}, AT + 250),
        ({"_seconds": 1_795_136_523, "_nanoseconds": 0}, AT),
    ],
)
def test_an_instant_is_read(value: Any, expected: int) -> None:
    assert read_time(value) == ReadTime(expected, "instant")
    assert read_event_time(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-20T01:02:03", AT),
        ("2026-11-20 01:02:03", AT),
        ("2026-11-20 01:02:03.123456", AT + 123),
        ("2026-11-20 01:02", AT - 3000),
        ("2026/11/20 01:02:03", AT),
        ("2026.11.20 01:02:03", AT),
        ("20261120010203", AT),
        ("202611200102", AT - 3000),
        ("Nov 20, 2026, 1:02:03 PM", AT + 12 * HOUR_MS),
        ("Nov 20, 2026, 12:02:03\u202fAM", AT - HOUR_MS),
        ("November 20th, 2026 at 1:02 a.m.", AT - 3000),
        ("Fri Nov 20 01:02:03 2026", AT),
    ],
)
def test_a_clock_without_a_zone_is_read_as_utc(value: str, expected: int) -> None:
    assert read_time(value) == ReadTime(expected, "local")
    assert read_event_time(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        *("2026-11-20", "20261120", 20_261_120, "2026/11/20", "2026-W47-5", "2026W475", "2026-324"),
        *("20 Nov 2026", "November 20, 2026", "Fri Nov 20 2026", "2026-11-20Z", "2026-11-20+01:00", "20-Nov-2026"),
    ],
)
def test_a_day_is_a_day(value: Any) -> None:
    assert read_time(value) == ReadTime(DAY, "day")
    assert read_event_time(value) == DAY


@pytest.mark.parametrize(
    ("value", "trouble"),
    [
        *(
            (text, TimeTrouble.AMBIGUOUS)
            for text in ("11/12/2026", "20.11.2026", "11-12-26", "1/2/2026 10:00", "1.2.26")
        ),
        *((text, TimeTrouble.NO_SUCH_TIME) for text in ("2026-02-30", "2026-13-01", "2026-11-20T25:00Z", "0000-00-00")),
        *((text, TimeTrouble.NO_SUCH_TIME) for text in ("2026-11-20T24:00:01Z", "2026-11-20T01:60Z", "2026-W54-1")),
        *(
            (text, TimeTrouble.NO_SUCH_TIME)
            for text in ("2026-366", "2026-11-20T01:02:03+25:00", "20 Nov 2026 13:00 PM")
        ),
        *((text, TimeTrouble.NO_FORM) for text in ("", " ", "noon", "now", "2026-11", "01:02:03", "NaN", "null")),
        *((text, TimeTrouble.NO_FORM) for text in ("2026-11-20T01:02:03 IST", "2026-11-20T01:02:03 Europe/Berlin")),
        *((text, TimeTrouble.NO_FORM) for text in ("2026-11-20X01:02:03Z", "2026-11-20T01:02:03.Z", "20 Foo 2026")),
        *((text, TimeTrouble.NO_FORM) for text in ("2026-11-20T01:02:03.\u0661\u0662\u0663Z", "1.7636E+12", "0x5")),
        *(
            (text, TimeTrouble.NO_FORM)
            for text in ("2026-11-20T01:02:03Z and more", "2026-11-20T01:02:03Z" + " x" * 99)
        ),
        *((other, TimeTrouble.NO_FORM) for other in (None, True, False)),
        ([], TimeTrouble.NO_FORM),
        (["2026-11-20"], TimeTrouble.NO_FORM),
        ({}, TimeTrouble.NO_FORM),
        ({"$date": []}, TimeTrouble.NO_FORM),
        *((other, TimeTrouble.NO_FORM) for other in (float("nan"), float("inf"), -1e308, 10**400, -(10**400))),
        ({"$date": {"$date": {"$date": {"$date": 1}}}}, TimeTrouble.NO_FORM),
        ({"seconds": 1}, TimeTrouble.NO_FORM),
    ],
)
def test_what_is_no_time_says_why(value: Any, trouble: TimeTrouble) -> None:
    assert read_time(value) is trouble
    assert read_event_time(value) is trouble


@pytest.mark.parametrize("value", [0, "0", 1, -1, "1999-12-31T23:59:59.999Z", "2100-01-01T00:00:00.000Z", "1763600"])
def test_an_event_of_no_possible_year_is_out_of_range_and_a_birthday_is_not(value: Any) -> None:
    assert isinstance(read_time(value), ReadTime)
    assert read_event_time(value) is TimeTrouble.OUT_OF_RANGE


@given(st.integers(EARLIEST_MS, LATEST_MS - 1), st.integers(-14 * 60, 14 * 60))
def test_any_instant_is_read_to_the_millisecond_in_whatever_form(at: int, offset: int) -> None:
    moment = datetime.fromtimestamp(at // 1000, timezone(timedelta(minutes=offset))).replace(
        microsecond=at % 1000 * 1000
    )
    second = at // 1000 * 1000
    assert read_event_time(moment.isoformat()) == at
    assert read_event_time(moment.isoformat(" ", "milliseconds")) == at
    assert read_event_time(moment.strftime("%Y%m%dT%H%M%S.%f%z")) == at
    assert read_event_time(moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")) == at
    assert read_event_time(moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")) == second
    assert read_event_time(format_datetime(moment)) == second
    assert read_event_time(moment.strftime("%a %b %d %Y %H:%M:%S GMT%z (Somewhere)")) == second
    assert read_event_time(at) == at
    assert read_event_time(at * 1000) == at
    assert read_event_time(str(at * 1_000_000)) == at
    assert read_event_time(second // 1000) == second


@given(st.none() | st.text() | st.integers() | st.floats() | st.booleans() | st.dictionaries(st.text(), st.integers()))
def test_anything_is_a_time_or_says_why_not(value: Any) -> None:
    assert isinstance(read_time(value), (ReadTime, TimeTrouble))
    found = read_event_time(value)
    assert isinstance(found, TimeTrouble) or EARLIEST_MS <= found < LATEST_MS


@given(st.text(alphabet="0123456789-:.,TZ+/ GMTCEApmJanu()[]W\u2212", max_size=160))
def test_no_text_is_trouble(value: str) -> None:
    read_time(value)


@pytest.mark.parametrize(
    ("value", "said"), [(None, False), ("", False), (" \t", False), (0, True), ("0", True), ([], True)]
)
def test_null_and_blank_text_say_nothing(value: Any, said: bool) -> None:
    assert is_said(value) is said
