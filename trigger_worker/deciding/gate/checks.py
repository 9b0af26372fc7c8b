"""The gate's checks, each a pure function that returns None when it has nothing against the message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from trigger_worker.deciding.experiment.assignment import in_holdout
from trigger_worker.deciding.gate.facts import MessageFacts
from trigger_worker.deciding.gate.policy import Policy, format_quiet, quiet_until_ms
from trigger_worker.deciding.gate.verdict import Verdict, drop
from trigger_worker.rules.language.duration import DAY_MS, format_duration
from trigger_worker.store.decisions import Reason
from warehouse.addresses import normalised

HOUR_MS: Final = 3_600_000
#: (facts, policy, now in epoch ms) -> the verdict against the message, if any.
Check = Callable[[MessageFacts, Policy, int], Verdict | None]

#: The tag of messages that ask whether an address is the person's.
CONFIRMATION: Final = "confirmation"
#: Most messages that ask so, by address: (how many, within how long in ms).
ASKED_AT_MOST: Final = ((1, HOUR_MS), (3, DAY_MS))
#: Most transactional messages to an address that nobody confirmed.
UNCONFIRMED_AT_MOST: Final = ((5, HOUR_MS), (20, DAY_MS))


def consent(facts: MessageFacts, policy: Policy, _now_ms: int) -> Verdict | None:
    """Drop marketing after a no to marketing, every class after a no to the channel; some channels need a yes."""
    marketing, channel = facts.consent.marketing, facts.consent.channels.get(facts.channel)
    if channel is False:
        return drop(Reason.NO_CONSENT, denied=f"channels.{facts.channel}")
    if facts.all_addresses(lambda address: address.refused):
        return drop(Reason.NO_CONSENT, denied=f"channels.{facts.channel}", by="address")
    if facts.message_class == "transactional":
        return None
    if marketing is False:
        return drop(Reason.NO_CONSENT, denied="marketing")
    if facts.channel in policy.consent_required and not (marketing or channel):
        return drop(Reason.NO_CONSENT, missing=f"channels.{facts.channel}")
    return None


def subscription(facts: MessageFacts, _policy: Policy, _now_ms: int) -> Verdict | None:
    """Drop marketing on a channel that the person, or whoever reads at the address, unsubscribed from.

    Transactional messages still arrive.
    """
    if facts.message_class == "transactional":
        return None
    if facts.channel in facts.unsubscribed:
        return drop(Reason.UNSUBSCRIBED, channel=facts.channel)
    if facts.all_addresses(lambda address: address.left):
        return drop(Reason.UNSUBSCRIBED, channel=facts.channel, by="address")
    return None


def suppression(facts: MessageFacts, policy: Policy, _now_ms: int) -> Verdict | None:
    """Drop messages of any class when every address bounced, complained or is on the operator's list."""
    causes = [_suppressed_by(recipient, facts, policy) for recipient in facts.recipients]
    if not causes or None in causes:
        return None
    return drop(Reason.SUPPRESSED, channel=facts.channel, cause=causes[0])


def address(facts: MessageFacts, _policy: Policy, _now_ms: int) -> Verdict | None:
    """Drop a message that has no recipient on its channel."""
    if facts.recipients:
        return None
    why = {"why": facts.unreachable} if facts.unreachable else {}
    return drop(Reason.NO_ADDRESS, channel=facts.channel, **why)


def confirmation(facts: MessageFacts, _policy: Policy, now_ms: int) -> Verdict | None:
    """Drop marketing to an address that nobody confirmed, and other messages to it beyond a few.

    Whoever opens the shop may name anybody's address. A message that asks for the confirmation goes out seldom, and
    never to an address that is confirmed and was not left since.
    """
    asks = CONFIRMATION in facts.tags
    is_confirmed = facts.is_confirmed
    if asks and is_confirmed and not facts.all_addresses(lambda address: address.left):
        return drop(Reason.ADDRESS_CONFIRMED, channel=facts.channel)
    if not asks and (is_confirmed or not facts.needs_confirmation):
        return None
    if facts.message_class == "marketing":
        return None if asks and is_confirmed else drop(Reason.ADDRESS_UNCONFIRMED, channel=facts.channel)
    for limit, per_ms in ASKED_AT_MOST if asks else UNCONFIRMED_AT_MOST:
        sent = [one for one in facts.history if one.channel == facts.channel and one.at_ms > now_ms - per_ms]
        counted = len([one for one in sent if not asks or CONFIRMATION in one.tags])
        if counted >= limit:
            detail = {"max": limit, "per": format_duration(per_ms), "sent": counted}
            return drop(Reason.ADDRESS_UNCONFIRMED, channel=facts.channel, **detail)
    return None


def holdout(facts: MessageFacts, policy: Policy, _now_ms: int) -> Verdict | None:
    """Drop marketing to persons of the global holdout, and a rule's marketing to persons of the rule's holdout."""
    if facts.message_class != "marketing":
        return None
    placed_as = facts.placed_as or facts.visitor_id
    if in_holdout(facts.site, placed_as, policy.holdout):
        return drop(Reason.HOLDOUT, holdout="global", share=policy.holdout)
    is_placed_there = in_holdout(facts.site, placed_as, facts.rule_holdout, facts.rule)
    if is_placed_there if facts.held_out is None else facts.held_out:
        return drop(Reason.HOLDOUT, holdout="rule", share=facts.rule_holdout)
    return None


def own_rule(facts: MessageFacts, _policy: Policy, _now_ms: int) -> Verdict | None:
    """Return the verdict of the message's own rule: it may be gone, or have reached its goal, or say when to send."""
    return facts.rule_verdict


def expiry(facts: MessageFacts, _policy: Policy, now_ms: int) -> Verdict | None:
    """Drop a message at or after its expiry."""
    if now_ms >= facts.expires_at_ms:
        return drop(Reason.EXPIRED, expires_at_ms=facts.expires_at_ms, now_ms=now_ms)
    return None


def fatigue(facts: MessageFacts, policy: Policy, now_ms: int) -> Verdict | None:
    """Drop marketing of a rule that was ignored often enough; after its rest it has one try until it is clicked."""
    limit = policy.fatigue
    if limit is None or facts.message_class == "transactional":
        return None
    offers = sorted((sent for sent in facts.history if sent.rule == facts.rule and sent.met), key=lambda s: s.at_ms)
    latest = offers[-limit.ignored :]
    if len(latest) < limit.ignored or any(sent.clicked for sent in latest):
        return None
    rests_until_ms = latest[-1].at_ms + limit.rest_ms
    if now_ms >= rests_until_ms:
        return None
    return drop(Reason.FATIGUE, ignored=limit.ignored, rests_until_ms=rests_until_ms)


def priority(facts: MessageFacts, _policy: Policy, _now_ms: int) -> Verdict | None:
    """Drop marketing that comes together with a higher priority; equal priorities are left to caps and gaps."""
    rival = facts.rival
    if rival is None or rival.priority <= facts.priority or facts.message_class == "transactional":
        return None
    return drop(
        Reason.PRIORITY,
        beaten_by=rival.rule,
        message_id=rival.message_id,
        priority=facts.priority,
        higher=rival.priority,
    )


def caps(facts: MessageFacts, policy: Policy, now_ms: int) -> Verdict | None:
    """Drop marketing at the first cap that is used up; transactional messages pass, but count."""
    if facts.message_class == "transactional":
        return None
    for cap in policy.caps:
        if not cap.obeys.covers(facts.channel, facts.tags, facts.message_class):
            continue
        since_ms = now_ms - cap.per_ms
        counted = [sent.at_ms for sent in facts.history if sent.at_ms > since_ms and cap.counts.takes(sent)]
        if len(counted) >= cap.max:
            return drop(Reason.CAP, **cap.described(), sent=len(counted))
    return None


def quiet_hours(facts: MessageFacts, policy: Policy, now_ms: int) -> Verdict | None:
    """Defer marketing until the person's quiet hours are over, or drop it; the rule's own win over the policy's."""
    quiet = facts.quiet.get(facts.channel) if facts.channel in facts.quiet else policy.quiet.get(facts.channel)
    if quiet is None or facts.message_class == "transactional":
        return None
    until_ms = quiet_until_ms(quiet, now_ms, facts.timezone)
    if until_ms is None:
        return None
    detail = {"quiet": format_quiet(quiet), "timezone": facts.timezone or "UTC"}
    if quiet.then == "drop":
        return drop(Reason.QUIET_HOURS, **detail, until_ms=until_ms)
    return _wait(Reason.QUIET_HOURS, facts, until_ms, **detail)


def gap(facts: MessageFacts, policy: Policy, now_ms: int) -> Verdict | None:
    """Defer marketing until the gap after the previous message on the same channel is over."""
    gap_ms = policy.gap_ms.get(facts.channel, 0)
    if not gap_ms or facts.message_class == "transactional":
        return None
    latest_ms = max((sent.at_ms for sent in facts.history if sent.channel == facts.channel), default=None)
    if latest_ms is None or now_ms >= latest_ms + gap_ms:
        return None
    return _wait(Reason.GAP, facts, latest_ms + gap_ms, gap=format_duration(gap_ms), previous_at_ms=latest_ms)


def ceiling(facts: MessageFacts, _policy: Policy, _now_ms: int) -> Verdict | None:
    """Defer every message that leaves the pages while the site has sent as many as it may within the hour."""
    return None if facts.room_at_ms is None else _wait(Reason.CEILING, facts, facts.room_at_ms)


def _wait(reason: Reason, facts: MessageFacts, until_ms: int, **detail: object) -> Verdict:
    """Defer a message, or drop a message that would be worth nothing by then."""
    if until_ms >= facts.expires_at_ms:
        return drop(
            Reason.EXPIRED,
            waiting_for=reason.value,
            until_ms=until_ms,
            expires_at_ms=facts.expires_at_ms,
            **detail,
        )
    return Verdict("defer", reason, {**detail, "until_ms": until_ms}, until_ms)


def _suppressed_by(recipient: str, facts: MessageFacts, policy: Policy) -> str | None:
    address = normalised(recipient)
    known = facts.suppressed.get(address) or ("listed" if address in policy.suppressed else None)
    standing = facts.standings.get(recipient)
    return known or (standing.suppressed or None if standing is not None else None)
