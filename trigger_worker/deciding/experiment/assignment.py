"""Which arm of a rule's experiment a visitor belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scipy.special import betaincinv

from trigger_worker.deciding.gate.holdout import place


def choose_arm(arms: Sequence[tuple[str, float]], site: str, rule: str, visitor_id: str) -> str:
    """Returns the arm that a visitor always gets, arms being met in proportion to their weights.

    Args:
        arms: names and relative weights; none for a rule without an experiment, whose arm is "".
        site, rule, visitor_id: each rule of each site places visitors anew.
    """
    total = sum(weight for _, weight in arms)
    left = place("arm", site, rule, visitor_id) * total
    for name, weight in arms:
        left -= weight
        if left < 0:
            return name
    return arms[-1][0] if arms else ""


def draw_arm(posteriors: Mapping[str, tuple[float, float]], site: str, rule: str, visitor_id: str) -> str:
    """Returns the arm whose conversion is drawn highest for a visitor: Thompson sampling.

    An arm is drawn as often as it is probable to be the best. The same visitor draws the same arm from the same
    posteriors (Thompson, "On the likelihood that one unknown probability exceeds another", Biometrika 1933).

    Args:
        posteriors: by arm, one at least, the parameters of the Beta distribution of its conversion.
        site, rule, visitor_id: each rule of each site draws anew.
    """
    draws = {
        arm: float(betaincinv(*parameters, place("thompson", site, rule, arm, visitor_id)))
        for arm, parameters in posteriors.items()
    }
    return max(draws, key=draws.__getitem__)
