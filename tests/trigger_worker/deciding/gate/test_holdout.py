from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.deciding.gate.holdout import in_holdout

VISITORS = [f"visitor-{number}" for number in range(20_000)]


def deviations(count: int, share: float) -> float:
    """How many standard deviations of the binomial a count is from what the share promises."""
    total = len(VISITORS)
    return abs(count - total * share) / math.sqrt(total * share * (1 - share))


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1, 0.5, 0.9])
def test_holds_out_the_share_it_is_asked_to(share: float) -> None:
    assert deviations(sum(in_holdout("shop", visitor, share) for visitor in VISITORS), share) < 5


def test_sites_place_a_visitor_independently() -> None:
    both = sum(in_holdout("shop", visitor, 0.5) and in_holdout("other", visitor, 0.5) for visitor in VISITORS)
    assert deviations(both, 0.25) < 5


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_keeps_whom_a_smaller_one_held_out(visitor: str, one: float, other: float) -> None:
    smaller, larger = sorted((one, other))
    assert not in_holdout("shop", visitor, smaller) or in_holdout("shop", visitor, larger)


@given(st.text())
def test_nobody_and_everybody(visitor: str) -> None:
    assert not in_holdout("shop", visitor, 0.0)
    assert in_holdout("shop", visitor, 1.0)
