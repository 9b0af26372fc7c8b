"""Which arm of a rule's experiment a visitor belongs to."""

from __future__ import annotations

from collections.abc import Sequence

from trigger_worker.gate.holdout import place


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
