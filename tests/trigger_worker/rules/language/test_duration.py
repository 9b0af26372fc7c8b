"""Durations, read and written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.rules.language.duration import format_duration, parse_duration
from warehouse.errors import RuleError


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [
        ("250ms", 250),
        ("3s", 3_000),
        ("15m", 900_000),
        ("24h", 86_400_000),
        ("7d", 604_800_000),
        ("2w", 1_209_600_000),
        ("0.5h", 1_800_000),
        ("1.5ms", 1),
        ("0s", 0),
        (" 15m ", 900_000),
    ],
)
def test_a_duration_is_read_into_milliseconds(text: str, expected_ms: int) -> None:
    assert parse_duration(text) == expected_ms


@pytest.mark.parametrize(
    "text", ["", "soon", "15", "m", "15 m", "-15m", "15min", "1h30m", ".5h", "1e3s", "١٥m", "9" * 13 + "s"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(RuleError, match="expected a duration such as 15m, found"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("duration_ms", "text"), [(0, "0s"), (1, "1ms"), (90_000, "90s"), (86_400_000, "1d"), (604_800_000, "1w")]
)
def test_a_duration_is_written_in_its_largest_whole_unit(duration_ms: int, text: str) -> None:
    assert format_duration(duration_ms) == text


@given(st.integers(0, 10**11))
def test_what_is_written_reads_back(duration_ms: int) -> None:
    assert parse_duration(format_duration(duration_ms)) == duration_ms
