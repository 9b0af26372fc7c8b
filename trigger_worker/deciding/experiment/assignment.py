"""Place a person in an experiment by hash: always the same holdout and arm for the same person and rule."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from scipy.special import betaincinv

#: By arm, the parameters of the Beta distribution of its conversion.
Posterior = Mapping[str, tuple[float, float]]

_BUCKETS: Final = 2**64


def in_holdout(site: str, visitor_id: str, share: float, rule: str = "") -> bool:
    """Tell whether a person is held out: always the same answer, and raising the share only adds persons.

    Args:
        site: the site; each site places its visitors anew.
        visitor_id: the person's id.
        share: from 0 (nobody) to 1 (everybody).
        rule: the rule whose own holdout is meant; each rule places persons anew; '' for the global holdout.
    """
    return share > 0 and place("holdout", site, rule, visitor_id) < share


def choose_arm(arms: Sequence[tuple[str, float]], site: str, rule: str, visitor_id: str) -> str:
    """Return the arm of a person, arms being met in proportion to their weights.

    Args:
        arms: names and relative weights; none for a rule without an experiment, whose arm is ''.
        site, rule, visitor_id: each rule of each site places persons anew.
    """
    total = sum(weight for _, weight in arms)
    left = place("arm", site, rule, visitor_id) * total
    for name, weight in arms:
        left -= weight
        if left < 0:
            return name
    return arms[-1][0] if arms else ""


def draw_arm(posteriors: Posterior, site: str, rule: str, visitor_id: str) -> str:
    """Return the arm whose conversion is drawn highest for a person: Thompson sampling.

    An arm is drawn as often as it is probable to be the best. The same person draws the same arm from the same
    posteriors (Thompson, "On the likelihood that one unknown probability exceeds another", Biometrika 1933).

    Args:
        posteriors: of one arm at least.
        site, rule, visitor_id: each rule of each site draws anew.
    """
    draws = {
        arm: float(betaincinv(*parameters, place("thompson", site, rule, arm, visitor_id)))
        for arm, parameters in posteriors.items()
    }
    return max(draws, key=draws.__getitem__)


def place(*parts: str) -> float:
    """Return the lasting place, between 0 and 1 and evenly spread, of the thing that the parts name."""
    digest = hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8]) / _BUCKETS
