"""Whether a firing has reached what its rule calls success."""

from __future__ import annotations

from trigger_worker.evaluate.history import History
from trigger_worker.evaluate.needs import Needs, selection_needs
from trigger_worker.evaluate.selector import compile_selection
from trigger_worker.language.syntax import Step


def goal_needs(goal: Step | None, span_ms: int) -> list[Needs]:
    """Return what `goal_reached` looks at in the `span_ms` milliseconds since the firing."""
    return [] if goal is None else [selection_needs(goal.selection, span_ms)]


def goal_reached(goal: Step | None, history: History, fired_at: int, now_ms: int) -> bool:
    """Tell whether an event of the goal happened after the firing and within the goal's window.

    Args:
        goal: what success is; None is never reached.
        history: holds the goal's events since the firing.
        fired_at, now_ms: epoch milliseconds.
    """
    if goal is None:
        return False
    latest = now_ms if goal.within is None else min(now_ms, fired_at + goal.within.ms)
    times = history.select(compile_selection(goal.selection)).times
    return any(fired_at < time <= latest for time in times)
