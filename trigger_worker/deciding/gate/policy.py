"""The policy that restrains the messages of all rules: consent, quiet hours, caps, gaps, fatigue, global holdout."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import datetime, time, timedelta
from typing import Final

import msgspec

from trigger_worker.rules.evaluate.calendar import local_time
from trigger_worker.rules.language.duration import DAY_MS, format_duration
from trigger_worker.rules.model import MessageClass, Quiet, QuietHours
from trigger_worker.store.sent import SentMessage
from warehouse.event import epoch_ms

#: How far back the messages of a rule are looked for that fatigue counts.
FATIGUE_LOOKBACK_MS: Final = 30 * DAY_MS


class Fatigue(msgspec.Struct, frozen=True):
    """The rest of an ignored rule: `rest_ms` after the latest of its last `ignored` messages, if none was clicked."""

    ignored: int
    rest_ms: int


class MessageKind(msgspec.Struct, frozen=True, kw_only=True):
    """A description of messages; an empty description fits every message.

    Args:
        channel: only this channel; empty for all.
        tag: only messages with this tag; empty for all.
        without: only messages that do not carry this tag; empty for all.
        message_class: only this class; None for both.
    """

    channel: str = ""
    tag: str = ""
    without: str = ""
    message_class: MessageClass | None = None

    def covers(self, channel: str, tags: frozenset[str], message_class: MessageClass) -> bool:
        """Tell whether a message with this channel, these tags and this class fits the description."""
        return (
            self.channel in ("", channel)
            and (not self.tag or self.tag in tags)
            and self.without not in tags
            and self.message_class in (None, message_class)
        )

    def takes(self, sent: SentMessage) -> bool:
        """Tell whether a message that was sent fits the description."""
        return self.covers(sent.channel, sent.tags, sent.message_class)

    def described(self) -> dict[str, object]:
        """Return the description as the policy file writes it."""
        words = {"channel": self.channel, "tag": self.tag, "without": self.without, "class": self.message_class}
        return {key: word for key, word in words.items() if word}


class Cap(msgspec.Struct, frozen=True, kw_only=True):
    """A limit: once `max` counted messages were sent within `per_ms`, messages that obey are stopped.

    Args:
        max: how many may be sent.
        per_ms: the length of the rolling window, ms.
        obeys: the messages that the cap may stop; never transactional ones.
        counts: the messages that use it up.
    """

    max: int
    per_ms: int
    obeys: MessageKind = MessageKind()
    counts: MessageKind = MessageKind()

    def described(self) -> dict[str, object]:
        """Return the cap as the policy file writes it."""
        limit = {"max": self.max, "per": format_duration(self.per_ms)}
        if self.obeys == self.counts:
            return {**self.obeys.described(), **limit}
        return {"obeys": self.obeys.described(), "counts": self.counts.described(), **limit}


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The restraint that every message passes.

    Args:
        consent_required: channels whose marketing needs a yes; on other channels it is enough that nobody said no.
        quiet: by channel, hours without messages, local to the person.
        caps: the caps, all of which hold.
        gap_ms: by channel, the least time between two messages, ms.
        fatigue: when an ignored rule rests; None for never.
        holdout: the share of persons, from 0 to 1, who get no marketing at all.
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
        """How much of a person's history the checks need, ms."""
        # Messages to an address that nobody confirmed are counted over a day.
        windows = [DAY_MS, *(cap.per_ms for cap in self.caps)]
        windows.extend(self.gap_ms.values())
        if self.fatigue is not None:
            windows.append(max(FATIGUE_LOOKBACK_MS, self.fatigue.rest_ms))
        return max(windows)


def quiet_until_ms(quiet: QuietHours, now_ms: int, zone_name: str) -> int | None:
    """Return when the quiet hours that hold now are over, epoch ms; None when it is not quiet.

    Where the clocks go forward over the end of the quiet, it lasts as long as if they had not, and a day longer if it
    has begun again by then; where they go back over it, it ends at the first of the two equal times and holds once more
    before the second.

    Args:
        quiet: the daily span.
        now_ms: the instant asked about, epoch ms.
        zone_name: the person's zone, as the tz database names it; any other text means UTC.
    """
    local = local_time(now_ms, zone_name)
    minute = local.hour * 60 + local.minute
    if not is_quiet(quiet, minute):
        return None
    ends_tomorrow = _passes_midnight(quiet) and minute >= quiet.start_minute
    end_date = local.date() + timedelta(days=1 if ends_tomorrow else 0)
    end = datetime.combine(end_date, _clock(quiet.end_minute), tzinfo=local.tzinfo)
    end_ms = epoch_ms(end)
    if end_ms <= now_ms:
        end_ms = epoch_ms(end.replace(fold=1))
    return quiet_until_ms(quiet, end_ms, zone_name) or end_ms


def is_quiet(quiet: QuietHours, minute: int) -> bool:
    """Tell whether a minute after local midnight is quiet: from the start until just before the end."""
    if _passes_midnight(quiet):
        return minute >= quiet.start_minute or minute < quiet.end_minute
    return quiet.start_minute <= minute < quiet.end_minute


def format_quiet(quiet: QuietHours) -> str:
    """Return a span as rules write it: `21:00-09:00`."""
    return f"{_clock(quiet.start_minute):%H:%M}-{_clock(quiet.end_minute):%H:%M}"


def _passes_midnight(quiet: QuietHours) -> bool:
    return quiet.start_minute > quiet.end_minute


def _clock(minute: int) -> time:
    return time(minute // 60, minute % 60)
