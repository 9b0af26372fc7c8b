"""The interval is that of the papers, and errs no more often than it says however often one looks."""

from __future__ import annotations

from math import exp, log, sqrt
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaln

from trigger_worker.deciding.experiment.statistics import (
    FEWEST_VISITORS,
    MISMATCH_BELOW,
    best_mixture,
    boundary,
    difference_interval,
    log_evidence,
    probabilities_to_be_best,
    sample_ratio_p_value,
    visitors_per_arm,
)
from trigger_worker.store.arm_data import ArmData, Mean

ALPHA = 0.05


def test_the_boundary_is_that_of_the_reference_implementation() -> None:
    """The values of confseq's test of its two-sided normal mixture, "from a reference implementation in R".

    github.com/gostevehoward/confseq, test/uniform_boundaries_unittest.cpp.
    """
    mixture = best_mixture(100, 0.05)
    assert mixture == pytest.approx(12.60056, abs=1e-5)
    assert log_evidence(10, 100, mixture) == pytest.approx(-0.6510052, abs=1e-6)
    assert boundary(100, mixture, 0.05) == pytest.approx(30.35209, abs=1e-5)


@given(st.integers(1, 10**6), st.floats(1e-3, 1e6), st.floats(1e-6, 0.5))
def test_the_margin_is_that_of_the_paper(time: int, mixture: float, alpha: float) -> None:
    """Theorem 2.2 of arXiv:2103.06476, as it is printed there."""
    rho2 = 1 / mixture
    printed = sqrt(2 * (time * rho2 + 1) / (time**2 * rho2) * log(sqrt(time * rho2 + 1) / alpha))
    assert boundary(time, mixture, alpha) / time == pytest.approx(printed, rel=1e-9)


@given(st.integers(100, 10**6), st.floats(0, 0.2), st.floats(1e-4, 10), st.floats(1e-3, 10))
def test_the_p_value_is_that_of_the_mixture_sequential_probability_ratio_test(
    pairs: int, difference: float, variance: float, ratio: float
) -> None:
    """Johari et al. (arXiv:1512.04922), for pairs of normal observations, tau^2 the mixture's variance."""
    tau2 = ratio * variance
    both = 2 * variance
    printed = log(both / (both + pairs * tau2)) / 2 + pairs**2 * tau2 * difference**2 / (
        2 * both * (both + pairs * tau2)
    )
    # A sum of standardised observations, each a pair's difference; the mixture in their units.
    found = log_evidence(difference * pairs / sqrt(both), pairs, both / tau2)
    assert found == pytest.approx(printed, rel=1e-9, abs=1e-9)


def test_the_interval_excludes_nothing_just_where_the_p_value_is_alpha() -> None:
    control = Mean(5_000, 0.1, 0.09)
    interval = difference_interval(Mean(5_000, 0.1, 0.09), control, ALPHA)
    assert interval is not None
    assert interval.p_value == 1.0
    edge = difference_interval(Mean(5_000, 0.1 + interval.high, 0.09), control, ALPHA)
    assert edge is not None
    assert edge.low == pytest.approx(0, abs=1e-12)
    assert edge.p_value == pytest.approx(ALPHA)


@pytest.mark.parametrize(
    ("treated", "control"),
    [
        (Mean(FEWEST_VISITORS - 1, 0.1, 0.09), Mean(1000, 0.1, 0.09)),
        (Mean(1000, 0.1, 0.09), Mean(0, 0.0, 0.0)),
        (Mean(1000, 0.0, 0.0), Mean(1000, 0.1, 0.09)),
    ],
)
def test_nothing_is_said_while_too_little_is_known(treated: Mean, control: Mean) -> None:
    assert difference_interval(treated, control, ALPHA) is None


def ever_excludes(random: Random, rates: tuple[float, float], truth: float, looks: int, batch: int) -> bool:
    """Whether an interval is ever beside the truth, when somebody looks after every batch of visitors."""
    visitors, conversions = [0, 0], [0, 0]
    for _ in range(looks):
        for _ in range(batch):
            arm = random.random() < 0.5
            visitors[arm] += 1
            conversions[arm] += random.random() < rates[arm]
        treated, control = (ArmData("", visitors[arm], conversions[arm]).conversion for arm in (1, 0))
        interval = difference_interval(treated, control, ALPHA)
        if interval is not None and not interval.low <= truth <= interval.high:
            return True
    return False


@pytest.mark.parametrize("rates", [(0.5, 0.5), (0.1, 0.1), (0.03, 0.03), (0.2, 0.25)])
def test_who_looks_all_the_time_is_misled_no_more_often_than_alpha(rates: tuple[float, float]) -> None:
    """Looking at a fixed interval of 95 % a hundred times would mislead in a third of these runs."""
    random = Random(20261122)
    truth = rates[1] - rates[0]
    runs = 200
    misled = sum(ever_excludes(random, rates, truth, looks=100, batch=50) for _ in range(runs))
    assert misled / runs <= ALPHA


def test_an_effect_that_is_there_is_found() -> None:
    random = Random(1)
    found = sum(ever_excludes(random, (0.1, 0.15), 0.0, looks=100, batch=100) for _ in range(20))
    assert found == 20


def test_evidence_outgrows_every_bound_when_the_difference_stays() -> None:
    assert exp(-log_evidence(0.1 * 10_000, 10_000, best_mixture(100, ALPHA))) < 1e-10


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
