"""The statistics of an experiment: always valid intervals, the best arm, the sample size, the sample ratio.

The interval stays valid while one looks at it: at all looks together it errs with probability alpha at most.
Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic confidence
sequences", Annals of Statistics 2024 (arXiv:2103.06476), theorem 2.2: after t observations with the standard
deviation s a mean lies within

    s * sqrt((t + r) * (2 * log(1 / alpha) + log(1 + t / r))) / t

of its estimate, for all t at once. r is 1 / rho^2 of the paper. The boundary is that of the mixture of normal
distributions which Robbins found in 1970 and which the mixture sequential probability ratio test inverts (Johari,
Koomen, Pekelis and Walsh, "Always valid inference", Operations Research 2022).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, exp, log, prod, sqrt
from typing import Final

import msgspec
from scipy.special import betainc, betaincinv, chdtrc, ndtri

from trigger_worker.store.arm_data import ArmData, Mean

#: The number of persons, of both arms together, at which an interval is tightest; it is valid at any number.
TIGHTEST_AT: Final = 10_000
#: Fewest persons of each arm: the interval is asymptotic, and says nothing before the mean is about normal.
FEWEST_VISITORS: Final = 100
#: The probability of finding the effect when it is there.
USUAL_POWER: Final = 0.8
#: Below it something is broken: Kohavi, Tang and Xu, "Trustworthy Online Controlled Experiments", 2020, chapter 21.
MISMATCH_BELOW: Final = 0.001
#: Points of the integral: an error of less than a thousandth.
_POINTS: Final = 1_000


class Interval(msgspec.Struct, frozen=True):
    """The interval in which a difference lies.

    Args:
        low, high: the ends.
        p_value: at most the probability that chance alone shows such a difference at any look.
    """

    low: float
    high: float
    p_value: float


def best_mixture(tightest_at: float, alpha: float) -> float:
    """Return the r of the boundary that is tightest at an intrinsic time, in the units of that time.

    Args:
        tightest_at: the time; for standardised observations their number.
        alpha: the probability of an error, between 0 and 1.
    """
    doubled = 2 * log(1 / alpha)
    return tightest_at / (doubled + log(1 + doubled))


def boundary(time: float, mixture: float, alpha: float) -> float:
    """Return the bound that the sum of standardised observations never leaves, with probability 1 - alpha."""
    return sqrt((time + mixture) * (2 * log(1 / alpha) + log(1 + time / mixture)))


def log_evidence(total: float, time: float, mixture: float) -> float:
    """Return the logarithm of the likelihood ratio of any mean to the mean 0, mixed over the means."""
    return total**2 / (2 * (time + mixture)) + log(mixture / (time + mixture)) / 2


def difference_interval(treated: Mean, control: Mean, alpha: float) -> Interval | None:
    """Return the interval in which the difference of two means lies, None while too little is known of it.

    Args:
        treated, control: both arms.
        alpha: the probability that the true difference is ever outside, between 0 and 1.
    """
    if min(treated.count, control.count) < FEWEST_VISITORS or not (treated.variance and control.variance):
        return None
    time = treated.count + control.count
    # The variance of the difference is that of a mean of so many observations with this deviation.
    deviation = sqrt(time * (treated.variance / treated.count + control.variance / control.count))
    difference = treated.mean - control.mean
    mixture = best_mixture(TIGHTEST_AT, alpha)
    margin = deviation * boundary(time, mixture, alpha) / time
    evidence = log_evidence(difference * time / deviation, time, mixture)
    return Interval(difference - margin, difference + margin, min(1.0, exp(-evidence)))


def probabilities_to_be_best(arms: Sequence[ArmData]) -> dict[str, float]:
    """Return, by arm, the probability that its conversion is the highest; the probabilities add up to 1.

    The probability of arm a is the mean of the product of the other arms' distribution functions over a's posterior,
    which is taken at equally probable points: Scott, "A modern Bayesian look at the multi-armed bandit", 2010,
    section 3.
    """
    posteriors = {arm.arm: posterior(arm) for arm in arms}
    chances = {
        name: _chance(own, [other for rival, other in posteriors.items() if rival != name])
        for name, own in posteriors.items()
    }
    total = sum(chances.values())
    return {name: chance / total for name, chance in chances.items()}


def posterior(arm: ArmData) -> tuple[float, float]:
    """Return the parameters of the Beta distribution of an arm's conversion, after a uniform prior."""
    return 1.0 + arm.conversions, 1.0 + arm.visitors - arm.conversions


def visitors_per_arm(rate: float, effect: float, alpha: float, power: float = USUAL_POWER) -> int | None:
    """Return the fewest persons that each of two arms needs, for one look at the end.

    n = (z(1 - alpha / 2) * sqrt(2 p q) + z(power) * sqrt(p q + (p + d)(1 - p - d)))^2 / d^2, as in Evan Miller's
    calculator (www.evanmiller.org/ab-testing/sample-size.html).

    Args:
        rate: the control's conversion p, between 0 and 1.
        effect: the difference d to be found, absolute.
        alpha: the probability of finding a difference that is not there.
        power: the probability of finding a difference that is there.

    Returns:
        None where the effect cannot be: no conversion to start from, or more than all would convert.
    """
    raised = rate + effect
    if not (0 < rate < 1 and 0 <= raised <= 1) or not effect:
        return None
    spread = float(ndtri(1 - alpha / 2)) * sqrt(2 * rate * (1 - rate))
    spread += float(ndtri(power)) * sqrt(rate * (1 - rate) + raised * (1 - raised))
    return ceil(spread**2 / effect**2)


def sample_ratio_p_value(visitors: Mapping[str, int], shares: Mapping[str, float]) -> float | None:
    """Return the probability that chance alone puts the arms so far from their shares (Pearson's chi-square test).

    Args:
        visitors: by arm, how many persons it has.
        shares: by arm, the share of all that it should have; relative to each other.

    Returns:
        None where there is nothing to compare: fewer than two arms, or nobody yet.
    """
    arms = [arm for arm, share in shares.items() if share > 0]
    total = sum(visitors.get(arm, 0) for arm in arms)
    if len(arms) < 2 or not total:
        return None
    whole = sum(shares[arm] for arm in arms)
    expected = [total * shares[arm] / whole for arm in arms]
    statistic = sum((visitors.get(arm, 0) - share) ** 2 / share for arm, share in zip(arms, expected, strict=True))
    # Not scipy.stats, which computes the same: importing it takes every command and the worker half a second.
    return float(chdtrc(len(arms) - 1, statistic))


def _chance(own: tuple[float, float], others: Sequence[tuple[float, float]]) -> float:
    points = (float(betaincinv(*own, (index + 0.5) / _POINTS)) for index in range(_POINTS))
    return sum(prod(float(betainc(*other, point)) for other in others) for point in points) / _POINTS
