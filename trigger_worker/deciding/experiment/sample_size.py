"""How many visitors it takes to find an effect."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, sqrt
from typing import Final

from scipy.special import ndtri
from scipy.stats import chisquare

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


#: Below it something is broken: Kohavi, Tang and Xu, "Trustworthy Online Controlled Experiments", 2020, chapter 21.
MISMATCH_BELOW: Final = 0.001


def sample_ratio_p_value(visitors: Mapping[str, int], shares: Mapping[str, float]) -> float | None:
    """Returns how probable it is that chance alone puts the arms so far from their shares (Pearson's chi-square test).

    Args:
        visitors: by arm, how many it has.
        shares: by arm, what it should have of all; relative to each other.

    Returns:
        None where there is nothing to compare: fewer than two arms, or nobody yet.
    """
    arms = [arm for arm, share in shares.items() if share > 0]
    total = sum(visitors.get(arm, 0) for arm in arms)
    if len(arms) < 2 or not total:
        return None
    whole = sum(shares[arm] for arm in arms)
    expected = [total * shares[arm] / whole for arm in arms]
    return float(chisquare([visitors.get(arm, 0) for arm in arms], expected).pvalue)
