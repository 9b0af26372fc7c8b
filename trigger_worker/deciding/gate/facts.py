"""The facts of one message and its person that the gate judges by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from trigger_worker.deciding.gate.verdict import Verdict
from trigger_worker.deciding.recipient.permission import Consent
from trigger_worker.rules.model import MessageClass, QuietHours
from trigger_worker.store.sent import SentMessage
from warehouse.address_ledger import Standing
from warehouse.addresses import normalised
from warehouse.message_identity import MessageIdentity

_UNKNOWN: Final = Standing()


class Rival(msgspec.Struct, frozen=True):
    """A message of another rule that goes out on the same channel at the same time."""

    rule: str
    message_id: str
    priority: int


class MessageFacts(MessageIdentity, frozen=True, kw_only=True):
    """One message that wants to go out, with the facts of its person; `visitor_id` is the person's id.

    Args:
        expires_at_ms: the instant from which the message is worth nothing, epoch ms.
        message_class: marketing obeys every check; transactional passes most checks, but counts.
        tags: the kinds of offer that it carries.
        priority: the rule's; the higher the more important.
        rival: the marketing message of the highest priority that was let through in the same decision, to the same
            person on the same channel; None when there is none.
        rule_verdict: what the message's own rule has against it, such as a goal that is reached; None for nothing.
        recipients: the person's addresses on the channel: email addresses, or anonymous ids for banners.
        unreachable: why the person's email address takes no mail, where there is no recipient for it; '' otherwise.
        standings: by recipient, what is known of the address, whichever visitors name it.
        proven: normalised addresses for which somebody vouched when the person told them.
        needs_confirmation: whether addresses of this site and channel count as the person's only once confirmed.
        room_at_ms: when the site's ceiling of messages an hour leaves room, epoch ms; None when it does now.
        timezone: the person's zone, as the page sent it; unknown zones are read as UTC.
        quiet: the rule's own quiet hours, which win over the policy's.
        placed_as: the id by which experiments and holdouts place the person: the one under which anything first fired
            for them, so that nobody changes sides by logging in.
        rule_holdout: the share of persons, from 0 to 1, whom the rule itself holds out.
        held_out: whether the person is one of them, as was decided before; None when that is yet to be decided.
        consent: the person's answers.
        unsubscribed: channels that the person unsubscribed from.
        suppressed: by normalised address of the person, why it must never be written to again: `bounced` or
            `complained`.
        history: the messages that the person was sent on every channel, and the recipients whoever named them, at
            least as far back as `Policy.lookback_ms`.
    """

    expires_at_ms: int
    message_class: MessageClass = "marketing"
    tags: frozenset[str] = frozenset()
    priority: int = 0
    rival: Rival | None = None
    rule_verdict: Verdict | None = None
    recipients: tuple[str, ...] = ()
    unreachable: str = ""
    standings: Mapping[str, Standing] = {}
    proven: frozenset[str] = frozenset()
    needs_confirmation: bool = False
    room_at_ms: int | None = None
    timezone: str = ""
    quiet: Mapping[str, QuietHours | None] = {}
    placed_as: str = ""
    rule_holdout: float = 0.0
    held_out: bool | None = None
    consent: Consent = Consent()
    unsubscribed: frozenset[str] = frozenset()
    suppressed: Mapping[str, str] = {}
    history: tuple[SentMessage, ...] = ()

    @property
    def is_confirmed(self) -> bool:
        """Tell whether every recipient is known to be the person's."""
        return bool(self.recipients) and all(
            normalised(recipient) in self.proven or self.standings.get(recipient, _UNKNOWN).confirmed
            for recipient in self.recipients
        )

    def all_addresses(self, holds: Callable[[Standing], bool]) -> bool:
        """Tell whether there are recipients, and something holds for the address of each."""
        return bool(self.recipients) and all(
            recipient in self.standings and holds(self.standings[recipient]) for recipient in self.recipients
        )
