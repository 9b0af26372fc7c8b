"""Holdouts and arms by hash: the same for the same person, in the right proportions."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.deciding.experiment.assignment import choose_arm, draw_arm, in_holdout

VISITORS = [f"visitor-{number}" for number in range(20_000)]


@pytest.mark.parametrize("weights", [(50, 50), (90, 10), (1, 1, 2)])
def test_arms_are_met_in_proportion_to_their_weights(weights: tuple[int, ...]) -> None:
    arms = [(f"arm{number}", float(weight)) for number, weight in enumerate(weights)]
    met = Counter(choose_arm(arms, "shop", "rule", visitor) for visitor in VISITORS)
    for name, weight in arms:
        share = weight / sum(weights)
        assert abs(met[name] - len(VISITORS) * share) < 5 * (len(VISITORS) * share * (1 - share)) ** 0.5


def test_rules_place_a_visitor_independently() -> None:
    arms = [("a", 1.0), ("b", 1.0)]
    same = sum(choose_arm(arms, "shop", "one", v) == choose_arm(arms, "shop", "two", v) for v in VISITORS)
    assert abs(same - 10_000) < 5 * 5_000**0.5


@given(st.text())
def test_a_visitor_keeps_the_arm_and_a_rule_without_arms_has_none(visitor: str) -> None:
    arms = [("a", 1.0), ("b", 0.0)]
    assert choose_arm(arms, "shop", "rule", visitor) == "a"
    assert choose_arm([], "shop", "rule", visitor) == ""


@pytest.mark.parametrize(
    ("posteriors", "share"),
    [
        ({"a": (1.0, 1.0), "b": (1.0, 1.0)}, 0.5),
        # P(b > a) of Beta(2, 1) and Beta(1, 1): the integral of 2x * x.
        ({"a": (1.0, 1.0), "b": (2.0, 1.0)}, 2 / 3),
        ({"a": (10.0, 1000.0), "b": (1000.0, 10.0)}, 1.0),
    ],
)
def test_an_arm_is_drawn_as_often_as_it_is_probable_to_be_best(
    posteriors: dict[str, tuple[float, float]], share: float
) -> None:
    drawn = sum(draw_arm(posteriors, "shop", "rule", visitor) == "b" for visitor in VISITORS)
    assert abs(drawn - len(VISITORS) * share) <= 5 * (len(VISITORS) * share * (1 - share)) ** 0.5


def test_a_visitor_draws_the_same_from_the_same() -> None:
    posteriors = {"a": (3.0, 5.0), "b": (4.0, 5.0)}
    first = [draw_arm(posteriors, "shop", "rule", visitor) for visitor in VISITORS[:100]]
    assert first == [draw_arm(dict(reversed(posteriors.items())), "shop", "rule", v) for v in VISITORS[:100]]
    assert first != [draw_arm(posteriors, "shop", "other", visitor) for visitor in VISITORS[:100]]


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
