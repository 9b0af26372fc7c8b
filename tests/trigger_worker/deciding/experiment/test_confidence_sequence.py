"""The interval is that of the papers, and errs no more often than it says however often one looks."""

from __future__ import annotations

from math import exp, log, sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.deciding.experiment.arm_data import ArmData, Mean
from trigger_worker.deciding.experiment.confidence_sequence import (
    FEWEST_VISITORS,
    best_mixture,
    boundary,
    difference_interval,
    log_evidence,
)

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
