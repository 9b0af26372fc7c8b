"""What the gate must know of one message and its visitor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from trigger_worker.deciding.gate.policy import MessageKind
from trigger_worker.deciding.gate.verdict import Verdict
from trigger_worker.rules.model import MessageClass, Quiet
from warehouse.channel_traits import CHANNEL_TRAITS

#: Channels whose messages a visitor is taken to have met once they are sent.
_MET_WHEN_SENT: Final = frozenset(name for name, traits in CHANNEL_TRAITS.items() if traits.met_when_sent)


class SentMessage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message that the visitor was sent before.

    Args:
        channel: where it went.
        rule: the rule that sent it.
        at_ms: when it was sent, in milliseconds since 1970.
        tags: what kinds of offer it carried.
        message_class: marketing or transactional.
        shown: whether the visitor is known to have seen it, as pages tell of banners.
        clicked: whether the visitor clicked it.
    """

    channel: str
    rule: str
    at_ms: int
    tags: frozenset[str] = frozenset()
    message_class: MessageClass = "marketing"
    shown: bool = False
    clicked: bool = False

    @property
    def met(self) -> bool:
        """Whether the visitor may be taken to have met the offer: a banner that was shown, a letter that was sent."""
        return self.shown or self.channel in _MET_WHEN_SENT

    def is_of(self, kind: MessageKind) -> bool:
        """Tells whether the message is of a kind."""
        return kind.covers(self.channel, self.tags, self.message_class)


class Consent(msgspec.Struct, frozen=True):
    """What the visitor allowed: True, False, or None (or absent) where never asked.

    The gate does not ask about `analytics`: it is about what is recorded, also of opening and clicking a message.
    """

    marketing: bool | None = None
    channels: Mapping[str, bool] = {}
    analytics: bool | None = None


class Rival(msgspec.Struct, frozen=True):
    """A message of another rule that goes out on the same channel at the same time."""

    rule: str
    message_id: str
    priority: int


class MessageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One message that wants to go out, and what is known of its visitor.

    Args:
        site: the site that the visitor is on.
        visitor_id: the person.
        channel: where the message would go.
        rule: the rule that sends it.
        expires_at_ms: when it is worth nothing any more, in milliseconds since 1970.
        message_class: marketing obeys everything; transactional passes most checks, but counts.
        tags: what kinds of offer it carries.
        priority: the rule's, the higher the more important.
        rival: the marketing message of the highest priority that was let through in the same decision, to the same
            visitor on the same channel; None when there is none.
        own: what the message's own rule has against it, such as a goal that is reached; None for nothing.
        recipients: addresses on that channel: email addresses, or anonymous ids for banners.
        timezone: the visitor's zone, as the page sent it; unknown ones are read as UTC.
        quiet: the rule's own quiet hours, which win over the policy's.
        rule_holdout: the share of visitors, from 0 to 1, whom the rule itself holds out.
        held_out: whether the visitor is one of them, as was decided before; None when that is yet to be decided.
        consent: what the visitor allowed.
        unsubscribed: channels that the visitor unsubscribed from.
        suppressed: why an address of theirs, normalised, must never be written to again: `bounced` or `complained`.
        history: what the visitor was sent on every channel, at least as far back as `Policy.lookback_ms`.
    """

    site: str
    visitor_id: str
    channel: str
    rule: str
    expires_at_ms: int
    message_class: MessageClass = "marketing"
    tags: frozenset[str] = frozenset()
    priority: int = 0
    rival: Rival | None = None
    own: Verdict | None = None
    recipients: tuple[str, ...] = ()
    timezone: str = ""
    quiet: Quiet = {}
    rule_holdout: float = 0.0
    held_out: bool | None = None
    consent: Consent = Consent()
    unsubscribed: frozenset[str] = frozenset()
    suppressed: Mapping[str, str] = {}
    history: tuple[SentMessage, ...] = ()
