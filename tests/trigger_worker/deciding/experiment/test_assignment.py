from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.deciding.experiment.assignment import choose_arm, draw_arm

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
