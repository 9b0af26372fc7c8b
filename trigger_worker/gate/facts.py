"""What the gate must know of one message and its visitor."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from trigger_worker.rules.model import MessageClass, QuietHours


class SentMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that the visitor was sent before.

    Args:
        channel: where it went.
        rule: the rule that sent it.
        at_ms: when it was sent, in milliseconds since 1970.
        tags: what kinds of offer it carried.
        message_class: marketing or transactional.
        shown: whether the visitor is known to have seen it.
        clicked: whether the visitor clicked it.
    """

    channel: str
    rule: str
    at_ms: int
    tags: frozenset[str] = frozenset()
    message_class: MessageClass = "marketing"
    shown: bool = False
    clicked: bool = False


class Consent(msgspec.Struct, frozen=True):
    """What the visitor allowed: True, False, or None (or absent) where never asked."""

    marketing: bool | None = None
    channels: Mapping[str, bool] = {}


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
        recipients: addresses on that channel: email addresses, or anonymous ids for banners.
        timezone: the visitor's zone, as the page sent it; unknown ones are read as UTC.
        quiet: the rule's own quiet hours, which win over the policy's; None when it has none.
        rule_holdout: the share of visitors, from 0 to 1, whom the rule itself holds out.
        consent: what the visitor allowed.
        unsubscribed: channels that the visitor unsubscribed from.
        suppressed: whether the address must never be written to again (it bounced, or complained).
        history: what the visitor was sent on every channel, at least as far back as `Policy.lookback_ms`.
    """

    site: str
    visitor_id: str
    channel: str
    rule: str
    expires_at_ms: int
    message_class: MessageClass = "marketing"
    tags: frozenset[str] = frozenset()
    recipients: tuple[str, ...] = ()
    timezone: str = ""
    quiet: QuietHours | None = None
    rule_holdout: float = 0.0
    consent: Consent = Consent()
    unsubscribed: frozenset[str] = frozenset()
    suppressed: bool = False
    history: tuple[SentMessage, ...] = ()
