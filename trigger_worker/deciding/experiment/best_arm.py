"""How probable it is that an arm converts best, from Beta posteriors with uniform priors."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from scipy.special import betainc, betaincinv

from trigger_worker.deciding.experiment.arm_data import ArmData

#: Points of the integral: an error of less than a thousandth.
_POINTS = 1_000


def probabilities_to_be_best(arms: Sequence[ArmData]) -> dict[str, float]:
    """Returns, by arm, the probability that its conversion is the highest; they add up to 1.

    That of arm a is the mean of the product of the other arms' distribution functions over a's posterior, which is
    taken at equally probable points: Scott, "A modern Bayesian look at the multi-armed bandit", 2010, section 3.
    """
    posteriors = {arm.arm: posterior(arm) for arm in arms}
    chances = {
        name: _chance(own, [other for rival, other in posteriors.items() if rival != name])
        for name, own in posteriors.items()
    }
    total = sum(chances.values())
    return {name: chance / total for name, chance in chances.items()}


def posterior(arm: ArmData) -> tuple[float, float]:
    """Returns the parameters of the Beta distribution of an arm's conversion, after a uniform prior."""
    return 1.0 + arm.conversions, 1.0 + arm.visitors - arm.conversions


def _chance(own: tuple[float, float], others: Sequence[tuple[float, float]]) -> float:
    points = (float(betaincinv(*own, (index + 0.5) / _POINTS)) for index in range(_POINTS))
    return sum(prod(float(betainc(*other, point)) for other in others) for point in points) / _POINTS
