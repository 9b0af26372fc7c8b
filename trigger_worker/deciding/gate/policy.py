"""What holds for the messages of all rules: consent, quiet hours, caps, gaps, fatigue and the global holdout."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Final

import msgspec

from trigger_worker.deciding.gate.cap import Cap
from trigger_worker.rules.language.duration import DAY_MS
from trigger_worker.rules.model import Quiet

#: How far back the showings of a rule are looked for that fatigue counts.
FATIGUE_LOOKBACK_MS: Final = 30 * DAY_MS


class Fatigue(msgspec.Struct, frozen=True):
    """A rule whose last `ignored` showings were not clicked rests for `rest_ms` after the latest of them."""

    ignored: int
    rest_ms: int


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The restraint that every message passes.

    Args:
        consent_required: channels whose marketing needs a yes; on the others it is enough that nobody said no.
        quiet: hours without messages, local to the visitor.
        caps: all of them hold.
        gap_ms: by channel, the least time between two messages, in milliseconds.
        fatigue: when an ignored rule rests; None for never.
        holdout: the share of visitors, from 0 to 1, who get no marketing at all.
        suppressed: addresses, normalised, that the operator never wants written to.
    """

    consent_required: Set[str] = frozenset()
    quiet: Quiet = {}
    caps: tuple[Cap, ...] = ()
    gap_ms: Mapping[str, int] = {}
    fatigue: Fatigue | None = None
    holdout: float = 0.0
    suppressed: Set[str] = frozenset()

    @property
    def lookback_ms(self) -> int:
        """How much of a visitor's history the checks need, in milliseconds."""
        windows = [cap.per_ms for cap in self.caps]
        windows.extend(self.gap_ms.values())
        if self.fatigue is not None:
            windows.append(max(FATIGUE_LOOKBACK_MS, self.fatigue.rest_ms))
        return max(windows, default=0)
