"""How far back each part of a rule looks."""

from __future__ import annotations

from typing import Final

from trigger_worker.rules.language.duration import DAY_MS, LONGEST_WINDOW_MS
from trigger_worker.rules.language.syntax import Pattern, Selection, Step

#: A step without `within`: the step before it is never longer ago than this.
DEFAULT_GAP_MS: Final = 30 * DAY_MS
#: What `first`, `last` and the cart look at.
LAST_VALUE_LOOKBACK_MS: Final = 30 * DAY_MS
#: What traits are remembered for.
TRAITS_MS: Final = LONGEST_WINDOW_MS


def gap_ms(step: Step) -> int:
    """Returns how long after the step before it a step may come."""
    return DEFAULT_GAP_MS if step.within is None else step.within.ms


def wait_ms(pattern: Pattern) -> int:
    """Returns how long after its completion a pattern matches; 0 without an absence."""
    return 0 if pattern.absence is None else pattern.absence.within.ms


def since_ms(selection: Selection) -> int:
    """Returns how far back `since` looks."""
    return LONGEST_WINDOW_MS if selection.condition is None else LAST_VALUE_LOOKBACK_MS
