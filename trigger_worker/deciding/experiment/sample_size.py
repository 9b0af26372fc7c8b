"""How many visitors it takes to find an effect."""

from __future__ import annotations

from math import ceil, sqrt
from typing import Final

from scipy.special import ndtri

#: The probability of finding the effect when it is there.
USUAL_POWER: Final = 0.8


def visitors_per_arm(rate: float, effect: float, alpha: float, power: float = USUAL_POWER) -> int | None:
    """Returns the fewest visitors that each of two arms needs, for one look at the end.

    n = (z(1 - alpha / 2) * sqrt(2 p q) + z(power) * sqrt(p q + (p + d)(1 - p - d)))^2 / d^2, as in Evan Miller's
    calculator (www.evanmiller.org/ab-testing/sample-size.html).

    Args:
        rate: the control's conversion p, between 0 and 1.
        effect: the difference d to be found, absolute.
        alpha: the probability of finding one that is not there.
        power: the probability of finding one that is.

    Returns:
        None where the effect cannot be: no conversion to start from, or more than all would convert.
    """
    raised = rate + effect
    if not (0 < rate < 1 and 0 <= raised <= 1) or not effect:
        return None
    spread = float(ndtri(1 - alpha / 2)) * sqrt(2 * rate * (1 - rate))
    spread += float(ndtri(power)) * sqrt(rate * (1 - rate) + raised * (1 - raised))
    return ceil(spread**2 / effect**2)
