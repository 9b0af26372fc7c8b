"""The state of every rule of a folder: live, paused or invalid, with its firings of today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from trigger_worker.rules.files.folder import RuleSet
from trigger_worker.rules.language.render import render_pattern


class RuleState(msgspec.Struct, frozen=True):
    """The state of a rule, or of a file that should hold a rule.

    Args:
        rule: the id of the rule; the file of an invalid rule.
        state: only a live rule fires.
        version: empty when invalid.
        when: the pattern, empty when invalid.
        firings_today: the firings of all its versions since midnight UTC.
        reason: why it is invalid.
    """

    rule: str
    state: Literal["live", "paused", "invalid"]
    version: str = ""
    when: str = ""
    firings_today: int = 0
    reason: str = ""


def rule_states(found: RuleSet, firings: Mapping[str, int]) -> list[RuleState]:
    """Return the state of every rule, by id, then of each file with errors, with the first error as its reason.

    Args:
        found: the rules of the folder, with their problems.
        firings: by rule, how often it fired today.
    """
    valid = [
        RuleState(
            rule.id,
            "paused" if rule.paused else "live",
            rule.version,
            render_pattern(rule.when),
            firings.get(rule.id, 0),
        )
        for rule in sorted(found.rules, key=lambda rule: rule.id)
    ]
    errors: dict[str, str] = {}
    for problem in found.problems:
        if problem.severity == "error":
            errors.setdefault(problem.path, str(problem))
    return [*valid, *(RuleState(path, "invalid", reason=reason) for path, reason in errors.items())]
