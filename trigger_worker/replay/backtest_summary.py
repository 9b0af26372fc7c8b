"""What a replay comes to, rule by rule."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from trigger_worker.replay.backtest import Firing
from trigger_worker.replay.restraint import RestraintOutcome
from trigger_worker.rules.language.duration import DAY_MS
from trigger_worker.store.active import Range


class RuleSummary(msgspec.Struct):
    """The figures of one rule.

    Args:
        firings: how often it fired.
        visitors: for how many people.
        capped: messages that a cap would have stopped.
        quieted: messages that quiet hours would have held back.
        goals: firings whose goal was reached in its window.
        has_goal: whether any firing could reach one.
    """

    firings: int = 0
    visitors: int = 0
    capped: int = 0
    quieted: int = 0
    goals: int = 0
    has_goal: bool = False

    def per_day(self, span: Range) -> float:
        """Return the firings a day of a range."""
        return self.firings * DAY_MS / (span.until - span.since)

    @property
    def goal_rate(self) -> float | None:
        """The share of firings whose goal was reached, from 0 to 1; None without a goal or a firing."""
        return self.goals / self.firings if self.has_goal else None


class BacktestSummary:
    """Adds up replayed firings.

    Args:
        rules: the ids of all rules that are replayed; one that never fires is told, too.
    """

    def __init__(self, rules: Iterable[str]) -> None:
        self.rules = {rule: RuleSummary() for rule in sorted(rules)}

    def add(self, firings: Iterable[Firing], restrained: Iterable[RestraintOutcome]) -> None:
        """Count all that is known of some people: nobody may come in two calls."""
        visitors: set[tuple[str, str]] = set()
        for firing in firings:
            found = self.rules[firing.rule]
            found.firings += 1
            found.goals += firing.goal_reached is True
            found.has_goal = found.has_goal or firing.goal_reached is not None
            visitors.add((firing.rule, firing.visitor_id))
        for rule, _ in visitors:
            self.rules[rule].visitors += 1
        for one in restrained:
            self.rules[one.rule].capped += one.capped
            self.rules[one.rule].quieted += one.quieted
