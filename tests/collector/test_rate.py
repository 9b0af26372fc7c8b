from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector import rate
from collector.rate import MOST_OWED, RateLimit, batch_cost
from tests.collector.messages import NOON


def passed(limit: RateLimit, count: int, now_ms: int = NOON, address: str = "192.0.2.1") -> int:
    """How many of so many requests pass."""
    return sum(limit.wait_seconds(address, now_ms) == 0 for _ in range(count))


def test_a_burst_passes_and_no_more() -> None:
    assert passed(RateLimit(1, 5), 20) == 5


@pytest.mark.parametrize(("after_ms", "more"), [(999, 0), (1000, 1), (3000, 3), (60_000, 5)])
def test_an_address_recovers_at_its_rate_up_to_the_burst(after_ms: int, more: int) -> None:
    limit = RateLimit(1, 5)
    passed(limit, 5)
    assert passed(limit, 20, NOON + after_ms) == more


def test_addresses_do_not_pay_for_each_other() -> None:
    limit = RateLimit(1, 5)
    passed(limit, 20)
    assert passed(limit, 20, address="192.0.2.2") == 5


@pytest.mark.parametrize(("per_second", "seconds"), [(1.0, 1), (0.1, 10), (100.0, 1)])
def test_one_is_told_how_many_whole_seconds_to_wait(per_second: float, seconds: int) -> None:
    limit = RateLimit(per_second, 1)
    passed(limit, 1)
    assert limit.wait_seconds("192.0.2.1", NOON) in {seconds, seconds + 1}


@given(per_second=st.floats(0.01, 1000), burst=st.integers(1, 50))
def test_who_waits_as_told_may_pass(per_second: float, burst: int) -> None:
    limit = RateLimit(per_second, burst)
    passed(limit, burst)
    wait = limit.wait_seconds("192.0.2.1", NOON)
    assert wait > 0
    assert limit.wait_seconds("192.0.2.1", NOON + wait * 1000) == 0


def test_no_rate_is_no_limit() -> None:
    assert passed(RateLimit(0, 1), 1000) == 1000


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    limit = RateLimit(1, 2)
    assert passed(limit, 2) == 2
    assert passed(limit, 5, NOON - 60_000) == 0


def test_the_addresses_that_were_not_seen_for_longest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate, "MAX_ADDRESSES", 2)
    limit = RateLimit(1, 1)
    for address in ("first", "second", "first", "third"):
        limit.wait_seconds(address, NOON)
    assert limit.wait_seconds("first", NOON) > 0
    assert limit.wait_seconds("second", NOON) == 0


def test_a_request_may_cost_more_than_is_left_and_the_next_one_waits_for_it() -> None:
    limit = RateLimit(1, 10)
    assert limit.wait_seconds("a", NOON) == 0
    assert limit.charge("a", NOON, 12) == 0
    assert limit.charge("a", NOON, 1) > 0, "it owes already"
    wait = limit.wait_seconds("a", NOON)
    assert wait > 0
    assert limit.wait_seconds("a", NOON + (wait - 2) * 1000) > 0
    assert limit.wait_seconds("a", NOON + wait * 1000) == 0


def test_nobody_owes_more_than_a_few_bursts() -> None:
    limit = RateLimit(1, 10)
    limit.owe("a", NOON, 1_000_000)
    assert limit.wait_seconds("a", NOON) <= 10 * MOST_OWED + 2


def test_what_is_charged_without_a_rate_costs_nothing() -> None:
    limit = RateLimit(0, 1)
    assert [limit.charge("a", NOON, 1e9) for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("events", "size", "cost"), [(0, 0, 0.0), (1, 8192, 0.0), (2, 100, 0.2), (2500, 8192, 499.8), (1, 81_920, 9.0)]
)
def test_a_batch_costs_by_its_events_and_its_bytes(events: int, size: int, cost: float) -> None:
    assert batch_cost(events, size) == pytest.approx(cost)
