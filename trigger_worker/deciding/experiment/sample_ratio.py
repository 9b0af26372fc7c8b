"""Whether the arms have the visitors that their weights promise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from scipy.stats import chisquare

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
