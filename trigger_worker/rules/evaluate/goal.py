"""Whether a firing has reached what its rule calls success."""

from __future__ import annotations

from bisect import bisect_right

from trigger_worker.rules.evaluate.history import History
from trigger_worker.rules.evaluate.needs import Needs, selection_needs
from trigger_worker.rules.evaluate.selector import compile_selection
from trigger_worker.rules.language.syntax import Step


def goal_needs(goal: Step | None, span_ms: int) -> list[Needs]:
    """Return what `goal_reached` looks at in the `span_ms` milliseconds since the firing."""
    return [] if goal is None else [selection_needs(goal.selection, span_ms)]


def goal_instant(goal: Step | None, history: History, fired_at: int) -> int | None:
    """Return when the goal was first reached after the firing and within the goal's window, if it was.

    Args:
        goal: what success is; None is never reached.
        history: holds the goal's events since the firing.
        fired_at: epoch milliseconds.
    """
    if goal is None:
        return None
    times = history.select(compile_selection(goal.selection)).times
    place = bisect_right(times, fired_at)
    if place == len(times) or (goal.within is not None and times[place] > fired_at + goal.within.ms):
        return None
    return times[place]


def goal_reached(goal: Step | None, history: History, fired_at: int, now_ms: int) -> bool:
    """Tell whether an event of the goal happened after the firing, within the goal's window, and until now."""
    reached_at = goal_instant(goal, history, fired_at)
    return reached_at is not None and reached_at <= now_ms
