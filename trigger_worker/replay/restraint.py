"""What the gate's caps and quiet hours would have made of one visitor's replayed messages."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Final

import msgspec

from trigger_worker.deciding.gate.facts import MessageFacts, SentMessage
from trigger_worker.deciding.gate.judge import judge
from trigger_worker.deciding.gate.policy import Policy
from trigger_worker.deciding.gate.verdict import Reason
from trigger_worker.deciding.sequence.queueing import lifetime
from trigger_worker.deciding.sequence.schedule import next_local_time
from trigger_worker.replay.cap_count import CapCount
from trigger_worker.rules.evaluate.history import Series
from trigger_worker.rules.model import Message, Rule
from trigger_worker.store.people import Person

#: The address of a message that is only simulated.
_SOMEWHERE: Final = ("simulated",)


class Asked(msgspec.Struct, frozen=True, gc=False):
    """A message that a replayed firing asked for.

    Args:
        rule: its rule.
        entry: what the rule says about it.
        due_at, expires_at: epoch milliseconds.
        reached_at: when the firing reached its rule's goal, epoch milliseconds; None when it never did.
    """

    rule: Rule
    entry: Message
    due_at: int
    expires_at: int
    reached_at: int | None


class Restrained(msgspec.Struct, frozen=True, gc=False):
    """What restraint did to one message.

    Args:
        capped: a cap of the policy stopped it.
        quieted: quiet hours held it back, for a while or until it was worth nothing.
    """

    rule: str
    capped: bool
    quieted: bool


def messages_of(rule: Rule, fired_at: int, reached_at: int | None, timezones: Series) -> Iterator[Asked]:
    """Yield the messages of a firing; one with a time of day is due then, and its time to live starts there."""
    for entry in rule.send:
        due_at, expires_at = lifetime(rule, entry, fired_at)
        delay_ms = 0
        if entry.at_minute is not None:
            delay_ms = next_local_time(entry.at_minute, due_at, _zone(timezones, due_at)) - due_at
        yield Asked(rule, entry, due_at + delay_ms, expires_at + delay_ms, reached_at)


def only_restraint(policy: Policy) -> Policy:
    """Return the caps, gaps and quiet hours of a policy: holdouts and fatigue depend on what a replay does not know."""
    return msgspec.structs.replace(policy, fatigue=None, holdout=0.0)


def restrain(asked: Iterable[Asked], policy: Policy, person: Person, timezones: Series) -> list[Restrained]:
    """Return what would have become of one visitor's messages, judged in the order in which they are due.

    Args:
        asked: the messages of all rules; one whose firing has reached its goal by then is not asked about.
        policy: made by `only_restraint`.
        person: the visitor.
        timezones: the visitor's, over time.
    """
    order = count()
    waiting = [(one.due_at, -one.rule.priority, next(order), one, False) for one in asked]
    heapq.heapify(waiting)
    caps = CapCount(policy.caps)
    # The gate would count anew for each message what the visitor was sent, and a replay has a million of them.
    uncapped = msgspec.structs.replace(policy, caps=())
    sent: dict[str, SentMessage] = {}
    settled: list[Restrained] = []
    while waiting:
        now_ms, priority, _, one, quieted = heapq.heappop(waiting)
        if one.reached_at is not None and one.reached_at <= now_ms:
            settled.append(Restrained(one.rule.id, capped=False, quieted=quieted))
            continue
        kind = (one.entry.channel, one.entry.tags, one.rule.message_class)
        if now_ms < one.expires_at and caps.stop(kind, now_ms):
            settled.append(Restrained(one.rule.id, capped=True, quieted=quieted))
            continue
        verdict = judge(_facts(one, sent.values(), person, timezones, now_ms), uncapped, now_ms)
        quieted = quieted or Reason.QUIET_HOURS in (verdict.reason, verdict.detail.get("waiting_for"))
        if verdict.verdict == "defer" and verdict.until_ms is not None:
            heapq.heappush(waiting, (verdict.until_ms, priority, next(order), one, quieted))
            continue
        if verdict.verdict == "send":
            caps.add(kind, now_ms)
            sent[one.entry.channel] = _as_sent(one, now_ms)
        settled.append(Restrained(one.rule.id, capped=False, quieted=quieted))
    return settled


def _zone(timezones: Series, at: int) -> str:
    return str(timezones.at(at) or "")


def _facts(one: Asked, sent: Iterable[SentMessage], person: Person, timezones: Series, now_ms: int) -> MessageFacts:
    return MessageFacts(
        site=person.site,
        visitor_id=person.visitor_id,
        channel=one.entry.channel,
        rule=one.rule.id,
        expires_at_ms=one.expires_at,
        message_class=one.rule.message_class,
        recipients=_SOMEWHERE,
        timezone=_zone(timezones, now_ms),
        quiet=one.rule.quiet,
        history=tuple(sent),
    )


def _as_sent(one: Asked, now_ms: int) -> SentMessage:
    return SentMessage(channel=one.entry.channel, rule=one.rule.id, at_ms=now_ms)
