"""Tell how far back each part of a rule looks, for reading no more of a visitor's history than it needs."""

from __future__ import annotations

from typing import Final

from trigger_worker.rules.language.duration import DAY_MS, LONGEST_WINDOW_MS
from trigger_worker.rules.language.syntax import Aggregate, Count, EventTerm, FirstOrLast, Pattern, Since, Step

#: A step without `within`: the step before it is never longer ago than this.
DEFAULT_GAP_MS: Final = 30 * DAY_MS
#: The lookback of `first`, `last` and the cart.
LAST_VALUE_LOOKBACK_MS: Final = 30 * DAY_MS
#: The lookback of traits.
TRAITS_MS: Final = LONGEST_WINDOW_MS


def gap_ms(step: Step) -> int:
    """Return how long (ms) after the step before it a step may come."""
    return DEFAULT_GAP_MS if step.within is None else step.within.ms


def wait_ms(pattern: Pattern) -> int:
    """Return how long (ms) after its last event a pattern matches; 0 without an absence."""
    return 0 if pattern.absence is None else pattern.absence.within.ms


def term_lookback_ms(term: EventTerm) -> int:
    """Return how far back (ms) a term over events looks from the instant that it is asked at."""
    match term:
        case Count() | Aggregate():
            return term.window.ms
        case FirstOrLast():
            return LAST_VALUE_LOOKBACK_MS
        case Since():
            return LONGEST_WINDOW_MS if term.selection.condition is None else LAST_VALUE_LOOKBACK_MS
