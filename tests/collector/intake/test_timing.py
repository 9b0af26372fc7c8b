from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.intake.draft import Receipt
from collector.intake.drops import DropReason
from collector.intake.timing import SKEW_TOLERANCE_MS, parse_time
from tests.collector.messages import NOON, dropped, kept, message
from warehouse.event import format_time

IMPORT = Receipt(received_at=NOON, source="import")
HOUR_MS = 3_600_000


def iso(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")


@pytest.mark.parametrize(
    ("happened", "sent", "stored"),
    [
        pytest.param(NOON - 2000, NOON, NOON - 2000, id="clocks agree"),
        pytest.param(NOON - 2000, NOON - SKEW_TOLERANCE_MS, NOON - 2000, id="the journey is no skew"),
        pytest.param(NOON - HOUR_MS - 2000, NOON - HOUR_MS, NOON - 2000, id="the sender is an hour behind"),
        pytest.param(NOON + HOUR_MS - 2000, NOON + HOUR_MS, NOON - 2000, id="the sender is an hour ahead"),
        pytest.param(NOON - 8 * HOUR_MS, NOON, NOON - 8 * HOUR_MS, id="kept while offline"),
        pytest.param(NOON + 2000, NOON, NOON, id="never after receipt"),
        pytest.param(NOON + HOUR_MS, None, NOON, id="no sentAt, in the future"),
        pytest.param(NOON - HOUR_MS, None, NOON - HOUR_MS, id="no sentAt, in the past"),
        pytest.param(None, NOON, NOON, id="no time at all"),
    ],
)
def test_an_event_is_placed_on_the_collectors_clock(happened: int | None, sent: int | None, stored: int) -> None:
    receipt = Receipt(received_at=NOON, sent_at=None if sent is None else iso(sent))
    row = kept(message(timestamp=None if happened is None else iso(happened)), receipt=receipt)
    assert (row.ts, row.received_at) == (format_time(stored), format_time(NOON))


def test_the_original_timestamp_wins() -> None:
    row = kept(message(timestamp=iso(NOON - 1), originalTimestamp=iso(NOON - 5000)))
    assert row.ts == format_time(NOON - 5000)


def test_the_messages_own_sending_time_wins_over_the_batchs() -> None:
    receipt = Receipt(received_at=NOON, sent_at=iso(NOON))
    row = kept(message(timestamp=iso(NOON - HOUR_MS - 10), sentAt=iso(NOON - HOUR_MS)), receipt=receipt)
    assert row.ts == format_time(NOON - 10)


@pytest.mark.parametrize("moment", [0, NOON - 400 * 24 * HOUR_MS, NOON + HOUR_MS])
def test_the_time_of_history_is_trusted_as_it_stands(moment: int) -> None:
    row = kept(message(timestamp=iso(moment), sentAt=iso(NOON - HOUR_MS)), receipt=IMPORT)
    assert (row.ts, row.received_at, row.source) == (format_time(moment), format_time(NOON), "import")


@pytest.mark.parametrize("timestamp", [None, "yesterday", "", "1969-12-31T23:59:59Z", "2100-01-01T00:00:00Z", -1, 9e99])
def test_history_without_a_time_is_no_history(timestamp: Any) -> None:
    assert dropped(message(timestamp=timestamp), receipt=IMPORT).reason is DropReason.NO_TIMESTAMP


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-22T12:00:00Z", NOON),
        ("2026-11-22T12:00:00.123Z", NOON + 123),
        ("2026-11-22T13:00:00+01:00", NOON),
        ("2026-11-22T12:00:00", NOON),
        ("2026-11-22 12:00:00", NOON),
        (NOON, NOON),
        (NOON / 1000, NOON),
        (True, None),
        (None, None),
        ([], None),
        ("", None),
        ("noon", None),
        (float("inf"), None),
        (float("nan"), None),
        (-1e308, None),
    ],
)
def test_times_are_read_in_the_forms_that_senders_use(value: object, expected: int | None) -> None:
    assert parse_time(value) == expected


@given(st.integers(0, 4_102_444_799_999))
def test_any_moment_in_range_is_read_to_the_millisecond(moment: int) -> None:
    assert (
        parse_time(datetime.fromtimestamp(moment // 1000, UTC).replace(microsecond=moment % 1000 * 1000).isoformat())
        == moment
    )


@given(st.none() | st.text() | st.integers() | st.floats() | st.booleans())
def test_anything_else_is_read_as_no_time(value: object) -> None:
    found = parse_time(value)
    assert found is None or 0 <= found < 4_102_444_800_000
