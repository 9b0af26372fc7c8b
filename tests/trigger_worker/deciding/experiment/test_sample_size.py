from __future__ import annotations

from random import Random

import pytest

from trigger_worker.deciding.experiment.sample_size import MISMATCH_BELOW, sample_ratio_p_value, visitors_per_arm


@pytest.mark.parametrize(("rate", "effect", "visitors"), [(0.2, 0.05, 1_030), (0.2, 0.01, 25_255)])
def test_it_is_what_evan_millers_calculator_says(rate: float, effect: float, visitors: int) -> None:
    """20 % and 5 points, absolute and relative, at 80 % power and 5 %: www.evanmiller.org/ab-testing/sample-size.html.

    The calculator rounds to the nearest visitor, we round up.
    """
    found = visitors_per_arm(rate, effect, 0.05)
    assert found is not None
    assert 0 <= found - visitors <= 1


def test_smaller_effects_and_more_certainty_take_more_visitors() -> None:
    usual = visitors_per_arm(0.1, 0.02, 0.05) or 0
    assert (visitors_per_arm(0.1, 0.01, 0.05) or 0) > usual
    assert (visitors_per_arm(0.1, 0.02, 0.01) or 0) > usual
    assert (visitors_per_arm(0.1, 0.02, 0.05, power=0.9) or 0) > usual


@pytest.mark.parametrize(("rate", "effect"), [(0.0, 0.1), (1.0, 0.1), (0.95, 0.1), (0.1, 0.0)])
def test_what_cannot_be_has_no_sample(rate: float, effect: float) -> None:
    assert visitors_per_arm(rate, effect, 0.05) is None


#: Visitors of each of the 34 items of the "men" campaign whom the uniform random policy met: of the sample of 10,000
#: in the Open Bandit Dataset, Saito et al. 2021 (arXiv:2008.07146), item 0 first.
_UNIFORM = (
    "272 302 304 298 285 313 290 316 260 290 309 345 295 273 303 249 296 "
    "276 293 284 298 311 304 296 263 334 285 299 294 328 279 321 249 286"
)
UNIFORM = [int(count) for count in _UNIFORM.split()]
#: The same under the Bernoulli Thompson sampling policy, which learned.
_LEARNED = (
    "1265 116 80 194 54 24 590 84 59 311 411 91 94 2026 152 32 45 "
    "515 54 120 37 99 58 1472 59 58 120 997 40 114 78 461 38 52"
)
LEARNED = [int(count) for count in _LEARNED.split()]


def named(counts: list[int]) -> dict[str, int]:
    return {f"arm{place}": count for place, count in enumerate(counts)}


def p_value(counts: list[int]) -> float:
    found = sample_ratio_p_value(named(counts), dict.fromkeys(named(counts), 1.0))
    assert found is not None
    return found


def test_it_is_the_example_of_scipys_documentation() -> None:
    """docs.scipy.org, scipy.stats.chisquare: the first example's p-value is 0.84914503608460956."""
    assert p_value([16, 18, 16, 14, 12, 12]) == pytest.approx(0.84914503608460956)


def test_it_finds_the_mismatch_of_the_literature() -> None:
    """821,588 users against 815,482 at equal shares have p = 1.8e-6.

    Kohavi, Tang and Xu, "Trustworthy Online Controlled Experiments", Cambridge 2020, chapter 21.
    """
    assert p_value([821_588, 815_482]) == pytest.approx(1.8e-6, rel=0.02)


def test_a_real_uniform_assignment_passes_and_one_that_learned_does_not() -> None:
    assert p_value(UNIFORM) > MISMATCH_BELOW
    assert p_value(LEARNED) < MISMATCH_BELOW


def test_shares_need_not_be_equal_nor_add_up_to_one() -> None:
    assert sample_ratio_p_value({"a": 100, "b": 900}, {"a": 1, "b": 9}) == pytest.approx(1)
    assert sample_ratio_p_value({"a": 500, "b": 500}, {"a": 1, "b": 9}) == pytest.approx(0)


@pytest.mark.parametrize("shares", [{}, {"a": 1.0}, {"a": 1.0, "b": 0.0}])
def test_one_arm_has_nothing_to_be_compared_with(shares: dict[str, float]) -> None:
    assert sample_ratio_p_value({"a": 10, "b": 10}, shares) is None
    assert sample_ratio_p_value({}, {"a": 1.0, "b": 1.0}) is None


def test_chance_alone_is_seldom_taken_for_a_mismatch() -> None:
    random = Random(7)
    runs = [sum(random.random() < 0.5 for _ in range(500)) for _ in range(400)]
    assert sum(p_value([first, 500 - first]) < 0.05 for first in runs) < 400 * 0.08
