from __future__ import annotations

from math import exp, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaln

from trigger_worker.deciding.experiment.arm_data import ArmData
from trigger_worker.deciding.experiment.best_arm import probabilities_to_be_best


def closed_form(first: ArmData, second: ArmData) -> float:
    """The probability that the second arm is better: Evan Miller, "Formulas for Bayesian A/B Testing"."""
    a1, b1 = first.conversions + 1, first.visitors - first.conversions + 1
    a2, b2 = second.conversions + 1, second.visitors - second.conversions + 1
    return sum(exp(betaln(a1 + i, b2 + b1) - log(b2 + i) - betaln(1 + i, b2) - betaln(a1, b1)) for i in range(a2))


@pytest.mark.parametrize(
    ("first", "second"), [((100, 10), (100, 15)), ((1000, 100), (900, 90)), ((20, 0), (30, 1)), ((5000, 200), (50, 5))]
)
def test_two_arms_agree_with_the_closed_form(first: tuple[int, int], second: tuple[int, int]) -> None:
    arms = [ArmData("first", *first), ArmData("second", *second)]
    assert probabilities_to_be_best(arms)["second"] == pytest.approx(closed_form(*arms), abs=1e-3)


@given(st.lists(st.tuples(st.integers(0, 500), st.floats(0, 1)), min_size=1, max_size=4))
@settings(max_examples=25)
def test_the_probabilities_of_all_arms_are_one(counts: list[tuple[int, float]]) -> None:
    arms = [ArmData(f"arm{place}", visitors, int(visitors * share)) for place, (visitors, share) in enumerate(counts)]
    chances = probabilities_to_be_best(arms)
    assert sum(chances.values()) == pytest.approx(1)
    assert all(0 <= chance <= 1 for chance in chances.values())


def test_arms_of_which_nothing_is_known_are_equally_good() -> None:
    chances = probabilities_to_be_best([ArmData(name, 0, 0) for name in "abcd"])
    assert list(chances.values()) == pytest.approx([0.25] * 4)
