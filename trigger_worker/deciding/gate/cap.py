"""Caps: how many messages of a kind a visitor gets in a rolling window."""

from __future__ import annotations

import msgspec

from trigger_worker.rules.language.duration import format_duration
from trigger_worker.rules.model import MessageClass


class MessageKind(msgspec.Struct, frozen=True, kw_only=True):
    """A description that messages meet or not; without any word of it, every message does.

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
        """Tells whether such a message is meant."""
        return (
            self.channel in ("", channel)
            and (not self.tag or self.tag in tags)
            and self.without not in tags
            and self.message_class in (None, message_class)
        )

    def described(self) -> dict[str, object]:
        """Returns the description as the policy file writes it."""
        words = {"channel": self.channel, "tag": self.tag, "without": self.without, "class": self.message_class}
        return {key: word for key, word in words.items() if word}


class Cap(msgspec.Struct, frozen=True, kw_only=True):
    """At most `max` messages that count in any window of `per_ms`; then those that obey are stopped.

    Args:
        max: how many may be sent.
        per_ms: the length of the rolling window, in milliseconds.
        obeys: what the cap may stop; transactional messages never.
        counts: what uses it up.
    """

    max: int
    per_ms: int
    obeys: MessageKind = MessageKind()
    counts: MessageKind = MessageKind()

    def described(self) -> dict[str, object]:
        """Returns the cap as the policy file writes it."""
        limit = {"max": self.max, "per": format_duration(self.per_ms)}
        if self.obeys == self.counts:
            return {**self.obeys.described(), **limit}
        return {"obeys": self.obeys.described(), "counts": self.counts.described(), **limit}
