"""The gate's checks, each a pure function that says None when it has nothing against the message."""

from __future__ import annotations

from collections.abc import Callable

from trigger_worker.deciding.gate.facts import MessageFacts
from trigger_worker.deciding.gate.policy import Policy, format_quiet, in_holdout, quiet_until_ms
from trigger_worker.deciding.gate.verdict import Reason, Verdict
from trigger_worker.deciding.recipient.addresses import normalised
from trigger_worker.rules.language.duration import format_duration

#: (facts, policy, now in milliseconds since 1970) -> what stands against the message, if anything.
Check = Callable[[MessageFacts, Policy, int], Verdict | None]


def consent(facts: MessageFacts, policy: Policy, _now_ms: int) -> Verdict | None:
    """A no to marketing stops marketing; a no to the channel stops every class; some channels need a yes."""
    marketing, channel = facts.consent.marketing, facts.consent.channels.get(facts.channel)
    if channel is False:
        return _drop(Reason.NO_CONSENT, denied=f"channels.{facts.channel}")
    if facts.message_class == "transactional":
        return None
    if marketing is False:
        return _drop(Reason.NO_CONSENT, denied="marketing")
    if facts.channel in policy.consent_required and not (marketing or channel):
        return _drop(Reason.NO_CONSENT, missing=f"channels.{facts.channel}")
    return None


def subscription(facts: MessageFacts, _policy: Policy, _now_ms: int) -> Verdict | None:
    """Who unsubscribed gets no marketing there; transactional messages still arrive."""
    if facts.message_class == "marketing" and facts.channel in facts.unsubscribed:
        return _drop(Reason.UNSUBSCRIBED, channel=facts.channel)
    return None


def suppression(facts: MessageFacts, policy: Policy, _now_ms: int) -> Verdict | None:
    """An address that bounced, complained or is on the operator's list gets nothing of any class."""
    causes = [_suppressed_by(normalised(recipient), facts, policy) for recipient in facts.recipients]
    if not causes or None in causes:
        return None
    return _drop(Reason.SUPPRESSED, channel=facts.channel, cause=causes[0])


def address(facts: MessageFacts, _policy: Policy, _now_ms: int) -> Verdict | None:
    """A message needs at least one recipient on its channel."""
    return None if facts.recipients else _drop(Reason.NO_ADDRESS, channel=facts.channel)


def holdout(facts: MessageFacts, policy: Policy, _now_ms: int) -> Verdict | None:
    """Visitors of the global holdout get no marketing, and those of a rule's holdout none of the rule's."""
    if facts.message_class != "marketing":
        return None
    if in_holdout(facts.site, facts.visitor_id, policy.holdout):
        return _drop(Reason.HOLDOUT, holdout="global", share=policy.holdout)
    is_placed_there = in_holdout(facts.site, facts.visitor_id, facts.rule_holdout, facts.rule)
    if is_placed_there if facts.held_out is None else facts.held_out:
        return _drop(Reason.HOLDOUT, holdout="rule", share=facts.rule_holdout)
    return None


def own_rule(facts: MessageFacts, _policy: Policy, _now_ms: int) -> Verdict | None:
    """The rule itself may have changed, or reached its goal; the message may have a condition, or a time of day."""
    return facts.own


def expiry(facts: MessageFacts, _policy: Policy, now_ms: int) -> Verdict | None:
    """A message is not sent at or after its expiry."""
    if now_ms >= facts.expires_at_ms:
        return _drop(Reason.EXPIRED, expires_at_ms=facts.expires_at_ms, now_ms=now_ms)
    return None


def fatigue(facts: MessageFacts, policy: Policy, now_ms: int) -> Verdict | None:
    """A rule ignored often enough rests; after the rest it has one try until it is clicked."""
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
    return _drop(Reason.FATIGUE, ignored=limit.ignored, rests_until_ms=rests_until_ms)


def priority(facts: MessageFacts, _policy: Policy, _now_ms: int) -> Verdict | None:
    """Of rules that come together on a channel the higher priority wins; equal ones leave it to caps and gaps."""
    rival = facts.rival
    if rival is None or rival.priority <= facts.priority or facts.message_class == "transactional":
        return None
    return _drop(
        Reason.PRIORITY,
        beaten_by=rival.rule,
        message_id=rival.message_id,
        priority=facts.priority,
        higher=rival.priority,
    )


def caps(facts: MessageFacts, policy: Policy, now_ms: int) -> Verdict | None:
    """The first cap that is used up stops marketing; transactional messages pass, but count."""
    if facts.message_class == "transactional":
        return None
    for cap in policy.caps:
        if not cap.obeys.covers(facts.channel, facts.tags, facts.message_class):
            continue
        since_ms = now_ms - cap.per_ms
        counted = [sent.at_ms for sent in facts.history if sent.at_ms > since_ms and sent.is_of(cap.counts)]
        if len(counted) >= cap.max:
            return _drop(Reason.CAP, **cap.described(), sent=len(counted))
    return None


def quiet_hours(facts: MessageFacts, policy: Policy, now_ms: int) -> Verdict | None:
    """Marketing waits until the visitor's quiet hours are over, or is dropped; the rule's own win over the policy's."""
    quiet = facts.quiet.get(facts.channel) if facts.channel in facts.quiet else policy.quiet.get(facts.channel)
    if quiet is None or facts.message_class == "transactional":
        return None
    until_ms = quiet_until_ms(quiet, now_ms, facts.timezone)
    if until_ms is None:
        return None
    detail = {"quiet": format_quiet(quiet), "timezone": facts.timezone or "UTC"}
    if quiet.then == "drop":
        return _drop(Reason.QUIET_HOURS, **detail, until_ms=until_ms)
    return _wait(Reason.QUIET_HOURS, facts, until_ms, **detail)


def gap(facts: MessageFacts, policy: Policy, now_ms: int) -> Verdict | None:
    """Marketing keeps its distance from the message before it on the same channel."""
    gap_ms = policy.gap_ms.get(facts.channel, 0)
    if not gap_ms or facts.message_class == "transactional":
        return None
    latest_ms = max((sent.at_ms for sent in facts.history if sent.channel == facts.channel), default=None)
    if latest_ms is None or now_ms >= latest_ms + gap_ms:
        return None
    return _wait(Reason.GAP, facts, latest_ms + gap_ms, gap=format_duration(gap_ms), previous_at_ms=latest_ms)


def _drop(reason: Reason, **detail: object) -> Verdict:
    return Verdict("drop", reason, detail)


def _wait(reason: Reason, facts: MessageFacts, until_ms: int, **detail: object) -> Verdict:
    """Defers, or drops what would be worth nothing by then."""
    if until_ms >= facts.expires_at_ms:
        return _drop(
            Reason.EXPIRED,
            waiting_for=reason.value,
            until_ms=until_ms,
            expires_at_ms=facts.expires_at_ms,
            **detail,
        )
    return Verdict("defer", reason, {**detail, "until_ms": until_ms}, until_ms)


def _suppressed_by(address: str, facts: MessageFacts, policy: Policy) -> str | None:
    return facts.suppressed.get(address) or ("listed" if address in policy.suppressed else None)
