"""Which rules would read too much: `any` names no event, so whatever a visitor did within its span is read."""

from __future__ import annotations

from typing import Final

from trigger_worker.rules.language.duration import DAY_MS, format_duration
from trigger_worker.rules.language.errors import Finding
from trigger_worker.rules.language.lookback import LAST_VALUE_LOOKBACK_MS, gap_ms, since_ms, wait_ms
from trigger_worker.rules.language.syntax import (
    Aggregate,
    Count,
    Expression,
    FirstOrLast,
    Pattern,
    Selection,
    Since,
    Step,
    children,
)

#: The longest that `any` may look back from the instant of a match: two steps without a `within`, and a month's wait.
LONGEST_ANY_MS: Final = 90 * DAY_MS


def pattern_cost(pattern: Pattern) -> list[Finding]:
    """Returns what a pattern would read too much of: a step is as far back as all that may follow it takes."""
    findings: list[Finding] = []
    span_ms = wait_ms(pattern)
    if pattern.absence is not None:
        findings += _finding(pattern.absence.selection, span_ms, pattern.absence.selection.start)
    for step in reversed(pattern.steps):
        findings += _finding(step.selection, span_ms, step.selection.start)
        span_ms += gap_ms(step)
    return findings


def goal_cost(goal: Step) -> list[Finding]:
    """Returns what a goal would read too much of."""
    return _finding(goal.selection, gap_ms(goal), goal.selection.start)


def expression_cost(node: Expression) -> list[Finding]:
    """Returns what the terms of an expression would read too much of."""
    found = _term(node)
    return [*found, *(finding for child in children(node) for finding in expression_cost(child))]


def _term(node: Expression) -> list[Finding]:
    match node:
        case Count() | Aggregate():
            return _finding(node.selection, node.window.ms, node.window.start)
        case Since():
            return _finding(node.selection, since_ms(node.selection), node.start)
        case FirstOrLast():
            return _finding(node.selection, LAST_VALUE_LOOKBACK_MS, node.start)
        case _:
            return []


def _finding(selection: Selection, span_ms: int, start: int) -> list[Finding]:
    if not selection.is_any or span_ms <= LONGEST_ANY_MS:
        return []
    message = f"any would read all that a visitor did in {format_duration(span_ms)}: too much"
    hint = f"name the events, or look back at most {format_duration(LONGEST_ANY_MS)}"
    return [Finding(message, start, hint)]
