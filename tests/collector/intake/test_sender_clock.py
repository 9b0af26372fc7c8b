"""A wrong clock and a long journey, told apart by what a client's requests show."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.intake import sender_clock
from collector.intake.sender_clock import (
    APART_MS,
    CLOCK_MS,
    JOURNEY_MS,
    SKEW_TOLERANCE_MS,
    UNKNOWN,
    ClientClock,
    ClientClocks,
    RequestClocks,
    learn,
)
from tests.collector.messages import NOON

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

journeys = st.integers(0, JOURNEY_MS)
prompt = st.integers(0, SKEW_TOLERANCE_MS)


def corrections(*shown: tuple[int, int], is_stamped: bool = False) -> list[int]:
    """What is added to the times of requests, given as ms after noon and difference."""
    clock, found = UNKNOWN, []
    for after, difference in shown:
        clock = learn(clock, difference, NOON + after, is_stamped=is_stamped)
        found.append(clock.correction_ms)
    return found


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        pytest.param([(0, 40)], [0], id="right"),
        pytest.param([(0, -SKEW_TOLERANCE_MS)], [0], id="ahead, but not worth it"),
        pytest.param([(0, -HOUR)], [-HOUR], id="ahead"),
        pytest.param([(0, -365 * DAY)], [-365 * DAY], id="a year ahead"),
        pytest.param([(0, HOUR)], [HOUR], id="behind"),
        pytest.param([(0, 30 * SECOND)], [0], id="a slow first journey"),
        pytest.param([(0, 2 * HOUR)], [0], id="kept back"),
        pytest.param([(0, HOUR), (MINUTE, HOUR - 300), (2 * MINUTE, HOUR + 9 * SECOND)], [HOUR, HOUR - 300, HOUR - 300],
                     id="the smallest difference counts"),
        pytest.param([(0, 40), (MINUTE, 2 * HOUR), (HOUR, 20 * MINUTE)], [0, 0, 0], id="right, and kept back"),
        pytest.param([(0, -10 * SECOND), (MINUTE, -2 * SECOND)], [-10 * SECOND, -10 * SECOND], id="ahead, and slow"),
        pytest.param([(0, HOUR), (MINUTE, 40)], [HOUR, 0], id="what was taken for a clock was none"),
        pytest.param([(0, -HOUR), (MINUTE, 40), (HOUR, 50)], [-HOUR, 0, 0], id="set right"),
        pytest.param([(0, 40), (MINUTE, -HOUR), (HOUR, 60)], [0, -HOUR, 0], id="set wrong, and right again"),
        pytest.param([(0, 5 * HOUR), (MINUTE, 5 * HOUR + 300)], [0, 5 * HOUR], id="behind by hours, shown twice"),
        pytest.param([(0, 40 * SECOND), (MINUTE, 41 * SECOND)], [0, 40 * SECOND], id="behind by seconds, shown twice"),
        pytest.param([(0, 5 * HOUR), (APART_MS - 1, 5 * HOUR)], [0, 0], id="a queue that empties itself"),
        pytest.param([(0, 5 * HOUR), (300, 4 * HOUR), (600, HOUR + 40 * MINUTE)], [0, 0, 0], id="a queue of a day"),
        pytest.param([(0, 40), (HOUR, 3 * HOUR), (2 * HOUR, 3 * HOUR + SECOND)], [0, 0, 3 * HOUR], id="set back"),
    ],
)  # fmt: skip
def test_the_rule_case_by_case(shown: list[tuple[int, int]], expected: list[int]) -> None:
    assert corrections(*shown) == expected


def test_an_sdk_that_stamps_each_attempt_is_behind_by_any_difference() -> None:
    assert corrections((0, 400 * DAY), is_stamped=True) == [400 * DAY]
    assert corrections((0, 30 * SECOND), is_stamped=True) == [0]
    assert corrections((0, 40), (MINUTE, 2 * HOUR), is_stamped=True) == [0, 0]


@given(st.lists(st.tuples(st.integers(0, DAY), journeys | st.integers(0, 30 * DAY)), max_size=20), prompt)
def test_a_right_clock_that_was_seen_once_is_never_moved_however_late_its_requests_come(
    later: list[tuple[int, int]], first: int
) -> None:
    """But for what shows the same delay again and again, which cannot be told from a clock."""
    seen: list[int] = []
    shown = []
    for after, delay in sorted(later):
        if all(abs(delay - other) > SKEW_TOLERANCE_MS for other in seen):
            seen.append(delay)
            shown.append((after, delay))
    assert corrections((0, first), *shown) == [0] * (1 + len(shown))


@given(st.integers(-400 * DAY, -SKEW_TOLERANCE_MS - JOURNEY_MS - 1), st.lists(journeys, min_size=1, max_size=20))
def test_a_clock_ahead_is_corrected_from_the_first_request_on_to_the_smallest_journey(
    behind: int, delays: list[int]
) -> None:
    found = corrections(*((n * MINUTE, behind + delay) for n, delay in enumerate(delays)))
    assert found == [behind + min(delays[: n + 1]) for n in range(len(delays))]
    assert all(later <= earlier for earlier, later in pairwise(found))


@given(st.integers(JOURNEY_MS + 1, CLOCK_MS - JOURNEY_MS), st.lists(journeys, min_size=1, max_size=20))
def test_so_is_a_clock_that_is_behind_by_minutes(behind: int, delays: list[int]) -> None:
    found = corrections(*((n * MINUTE, behind + delay) for n, delay in enumerate(delays)))
    assert found == [behind + min(delays[: n + 1]) for n in range(len(delays))]


@given(st.integers(CLOCK_MS, 400 * DAY), st.lists(prompt, min_size=2, max_size=20))
def test_a_clock_that_is_behind_by_hours_is_corrected_from_the_second_request_on(
    behind: int, delays: list[int]
) -> None:
    found = corrections(*((n * MINUTE, behind + 1 + delay) for n, delay in enumerate(delays)))
    assert found == [0, *(behind + 1 + min(delays[: n + 1]) for n in range(1, len(delays)))]


def test_events_of_one_request_change_nothing_for_each_other() -> None:
    clocks = ClientClocks()
    request = RequestClocks(clocks, "shop", NOON, is_stamped=False)
    sent = [NOON + DAY, NOON - 10, NOON + HOUR]
    assert [request.correction_ms("a1", at) for at in sent] == [-DAY, 0, -HOUR]
    assert clocks.of(("shop", "a1")) == ClientClock(-HOUR)


def test_clients_are_forgotten_in_turn_and_when_they_are_erased(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_clock, "MAX_CLIENTS", 3)
    clocks = ClientClocks()
    for n in (1, 2, 3, 1, 4):
        clocks.note(("shop", f"a{n}"), ClientClock(n))
    assert [clocks.of(("shop", f"a{n}")).behind_ms for n in (1, 2, 3, 4)] == [1, None, 3, 4]
    clocks.forget_erased(lambda site, visitor: (site, visitor) == ("shop", "a1"))
    assert [clocks.of(("shop", f"a{n}")).behind_ms for n in (1, 3, 4)] == [None, 3, 4]
