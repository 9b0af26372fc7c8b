"""An interval that stays valid while one looks at it: at every look together it errs with probability alpha at most.

Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic confidence
sequences", Annals of Statistics 2024 (arXiv:2103.06476), theorem 2.2: after t observations with the standard
deviation s a mean lies within

    s * sqrt((t + r) * (2 * log(1 / alpha) + log(1 + t / r))) / t

of its estimate, for all t at once. r is 1 / rho^2 of the paper. The boundary is that of the mixture of normal
distributions which Robbins found in 1970 and which the mixture sequential probability ratio test inverts (Johari,
Koomen, Pekelis and Walsh, "Always valid inference", Operations Research 2022).
"""

from __future__ import annotations

from math import exp, log, sqrt
from typing import Final

import msgspec

from trigger_worker.deciding.experiment.arm_data import Mean

#: How many visitors an interval is tightest at, of both arms together; valid it is at any number.
TIGHTEST_AT: Final = 10_000
#: Fewest visitors of each arm: the interval is asymptotic, and says nothing before the mean is about normal.
FEWEST_VISITORS: Final = 100


class Interval(msgspec.Struct, frozen=True):
    """Where a difference lies.

    Args:
        low, high: its ends.
        p_value: always valid as well: how often, at most, a difference like this would ever be met by chance.
    """

    low: float
    high: float
    p_value: float


def best_mixture(tightest_at: float, alpha: float) -> float:
    """Returns the r of the boundary that is tightest at an intrinsic time, in the units of that time.

    Args:
        tightest_at: for standardised observations how many.
        alpha: the probability of an error, between 0 and 1.
    """
    doubled = 2 * log(1 / alpha)
    return tightest_at / (doubled + log(1 + doubled))


def boundary(time: float, mixture: float, alpha: float) -> float:
    """Returns what the sum of standardised observations never leaves, with probability 1 - alpha."""
    return sqrt((time + mixture) * (2 * log(1 / alpha) + log(1 + time / mixture)))


def log_evidence(total: float, time: float, mixture: float) -> float:
    """Returns the logarithm of the likelihood ratio of any mean to none, mixed over the means."""
    return total**2 / (2 * (time + mixture)) + log(mixture / (time + mixture)) / 2


def difference_interval(treated: Mean, control: Mean, alpha: float) -> Interval | None:
    """Returns where the difference of two means lies, None while too little is known of it.

    Args:
        treated, control: both arms.
        alpha: the probability that the true difference is ever outside.
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
