"""What holds for the messages of all rules: quiet hours, caps, gaps, fatigue and the global holdout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from trigger_worker.language.duration import DAY_MS
from trigger_worker.rules.model import MessageClass, QuietHours

#: How far back the showings of a rule are looked for that fatigue counts.
FATIGUE_LOOKBACK_MS: Final = 30 * DAY_MS


class Cap(msgspec.Struct, frozen=True, kw_only=True):
    """At most `max` messages in any window of `per_ms`, of those that the other fields describe.

    Args:
        max: how many may be sent.
        per_ms: the length of the rolling window, in milliseconds.
        channel: counts this channel only; empty counts all.
        tag: counts messages with this tag only; empty counts all.
        message_class: counts this class only; None counts both.
    """

    max: int
    per_ms: int
    channel: str = ""
    tag: str = ""
    message_class: MessageClass | None = None

    def covers(self, channel: str, tags: frozenset[str], message_class: MessageClass) -> bool:
        """Tells whether such a message is one of those that this cap counts."""
        return (
            self.channel in ("", channel)
            and (not self.tag or self.tag in tags)
            and self.message_class in (None, message_class)
        )


class Fatigue(msgspec.Struct, frozen=True):
    """A rule whose last `ignored` showings were not clicked rests for `rest_ms` after the latest of them."""

    ignored: int
    rest_ms: int


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The restraint that every message passes.

    Args:
        quiet: hours without messages, local to the visitor; None for none.
        caps: all of them hold.
        gap_ms: by channel, the least time between two messages, in milliseconds.
        fatigue: when an ignored rule rests; None for never.
        holdout: the share of visitors, from 0 to 1, who get no marketing at all.
    """

    quiet: QuietHours | None = None
    caps: tuple[Cap, ...] = ()
    gap_ms: Mapping[str, int] = {}
    fatigue: Fatigue | None = None
    holdout: float = 0.0

    @property
    def lookback_ms(self) -> int:
        """How much of a visitor's history the checks need, in milliseconds."""
        windows = [cap.per_ms for cap in self.caps]
        windows.extend(self.gap_ms.values())
        if self.fatigue is not None:
            windows.append(max(FATIGUE_LOOKBACK_MS, self.fatigue.rest_ms))
        return max(windows, default=0)
