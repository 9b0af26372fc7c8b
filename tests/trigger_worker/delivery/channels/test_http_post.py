from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.delivery.channels.http_post import LONGEST_RETRY_AFTER_S, parse_retry_after

#: Sunday, 22 November 2026, 12:00 UTC.
NOON = 1_795_348_800_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("99999999999", LONGEST_RETRY_AFTER_S),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("Sun, 22 Nov 2026 12:00:30 -0000", 30.0),
        ("Fri, 22 Nov 2999 12:00:00 GMT", LONGEST_RETRY_AFTER_S),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("9" * 5000, None),
        ("Sun, 99 Nov 2026 12:00:00 GMT", None),
    ],
)
def test_reads_seconds_and_dates(text: str, seconds: float | None) -> None:
    assert parse_retry_after(text, NOON) == seconds


@given(st.text())
def test_no_header_is_trouble(text: str) -> None:
    seconds = parse_retry_after(text, NOON)
    assert seconds is None or 0 <= seconds <= LONGEST_RETRY_AFTER_S
