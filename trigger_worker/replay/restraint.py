"""Restraint in a backtest: whether caps and quiet hours of the gate would have stopped each replayed message."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Final

import msgspec

from trigger_worker.deciding.gate.facts import MessageFacts
from trigger_worker.deciding.gate.judge import judge
from trigger_worker.deciding.gate.policy import Cap, Policy
from trigger_worker.deciding.sequence.queueing import lifetime, next_local_time
from trigger_worker.rules.evaluate.selected import Series
from trigger_worker.rules.model import MessageClass, Rule, SendEntry
from trigger_worker.store.decisions import Reason
from trigger_worker.store.people import Person
from trigger_worker.store.sent import SentMessage

#: The address of a message that is only simulated.
_SOMEWHERE: Final = ("simulated",)


class ReplayedMessage(msgspec.Struct, frozen=True, gc=False):
    """A message that a replayed firing asked for.

    Args:
        rule: its rule.
        entry: its entry under `send` in the rule.
        due_at, expires_at: epoch ms.
        reached_at: when the firing reached its rule's goal, epoch ms; None when it never did.
    """

    rule: Rule
    entry: SendEntry
    due_at: int
    expires_at: int
    reached_at: int | None


class RestraintOutcome(msgspec.Struct, frozen=True, gc=False):
    """The outcome of restraint for one message.

    Args:
        capped: a cap of the policy stopped it.
        quieted: quiet hours held it back, for a while or until it was worth nothing.
    """

    rule: str
    capped: bool
    quieted: bool


def messages_of(rule: Rule, fired_at: int, reached_at: int | None, timezones: Series) -> Iterator[ReplayedMessage]:
    """Yield the messages of a firing; a message with a time of day is due then, and its time to live starts there."""
    for entry in rule.send:
        due_at, expires_at = lifetime(rule, entry, fired_at)
        delay_ms = 0
        if entry.at_minute is not None:
            delay_ms = next_local_time(entry.at_minute, due_at, _zone(timezones, due_at)) - due_at
        yield ReplayedMessage(rule, entry, due_at + delay_ms, expires_at + delay_ms, reached_at)


def only_restraint(policy: Policy) -> Policy:
    """Return a policy with caps, gaps and quiet hours only: a replay lacks the facts behind the other checks."""
    return msgspec.structs.replace(policy, fatigue=None, holdout=0.0)


def simulate_restraint(
    asked: Iterable[ReplayedMessage], policy: Policy, person: Person, timezones: Series
) -> list[RestraintOutcome]:
    """Return the outcome of restraint for each message of one person, judged in the order in which they are due.

    Args:
        asked: the messages of all rules; a message whose firing has reached its goal by then is not restrained.
        policy: made by `only_restraint`.
        person: the recipient.
        timezones: the person's timezone over time.
    """
    order = count()
    waiting = [(one.due_at, -one.rule.priority, next(order), one, False) for one in asked]
    heapq.heapify(waiting)
    caps = CapCount(policy.caps)
    # The gate would count anew for each message what the visitor was sent, and a replay has a million of them.
    uncapped = msgspec.structs.replace(policy, caps=())
    sent: dict[str, SentMessage] = {}
    settled: list[RestraintOutcome] = []
    while waiting:
        now_ms, priority, _, one, quieted = heapq.heappop(waiting)
        if one.reached_at is not None and one.reached_at <= now_ms:
            settled.append(RestraintOutcome(one.rule.id, capped=False, quieted=quieted))
            continue
        kind = (one.entry.channel, one.entry.tags, one.rule.message_class)
        if now_ms < one.expires_at and caps.stop(kind, now_ms):
            settled.append(RestraintOutcome(one.rule.id, capped=True, quieted=quieted))
            continue
        verdict = judge(_facts(one, sent.values(), person, timezones, now_ms), uncapped, now_ms)
        quieted = quieted or Reason.QUIET_HOURS in (verdict.reason, verdict.detail.get("waiting_for"))
        if verdict.decision == "defer" and verdict.until_ms is not None:
            heapq.heappush(waiting, (verdict.until_ms, priority, next(order), one, quieted))
            continue
        if verdict.decision == "send":
            caps.add(kind, now_ms)
            sent[one.entry.channel] = _as_sent(one, now_ms)
        settled.append(RestraintOutcome(one.rule.id, capped=False, quieted=quieted))
    return settled


def _zone(timezones: Series, at: int) -> str:
    return str(timezones.at(at) or "")


def _facts(
    one: ReplayedMessage, sent: Iterable[SentMessage], person: Person, timezones: Series, now_ms: int
) -> MessageFacts:
    return MessageFacts(
        site=person.site,
        message_id="",
        rule=one.rule.id,
        visitor_id=person.visitor_id,
        channel=one.entry.channel,
        expires_at_ms=one.expires_at,
        message_class=one.rule.message_class,
        recipients=_SOMEWHERE,
        timezone=_zone(timezones, now_ms),
        quiet=one.rule.quiet,
        history=tuple(sent),
    )


def _as_sent(one: ReplayedMessage, now_ms: int) -> SentMessage:
    return SentMessage(channel=one.entry.channel, rule=one.rule.id, at_ms=now_ms)


#: The facts of a message that a cap may ask about: its channel, its tags and its class.
Kind = tuple[str, tuple[str, ...], MessageClass]


class CapCount:
    """Counts the messages of one person in the windows of some caps.

    Args:
        caps: the caps of the policy.
    """

    def __init__(self, caps: Sequence[Cap]) -> None:
        self._caps = caps
        self._sent: list[deque[int]] = [deque() for _ in caps]
        self._obeyed: dict[Kind, list[int]] = {}
        self._counted: dict[Kind, list[int]] = {}

    def stop(self, kind: Kind, now_ms: int) -> bool:
        """Tell whether a cap stops a message of this kind; transactional messages pass.

        Args:
            kind: channel, tags and class of the message.
            now_ms: epoch ms, never earlier than in the call before.
        """
        obeyed = self._obeyed.get(kind)
        if obeyed is None:
            obeyed = self._obeyed[kind] = self._obeyed_by(kind)
        for index in obeyed:
            cap, sent = self._caps[index], self._sent[index]
            while sent and sent[0] <= now_ms - cap.per_ms:
                sent.popleft()
            if len(sent) >= cap.max:
                return True
        return False

    def add(self, kind: Kind, now_ms: int) -> None:
        """Count a message that goes out, of whatever class."""
        counted = self._counted.get(kind)
        if counted is None:
            counted = self._counted[kind] = self._counted_by(kind)
        for index in counted:
            self._sent[index].append(now_ms)

    def _obeyed_by(self, kind: Kind) -> list[int]:
        channel, tags, message_class = kind
        if message_class == "transactional":
            return []
        covers = [cap.obeys.covers(channel, frozenset(tags), message_class) for cap in self._caps]
        return [index for index, obeys in enumerate(covers) if obeys]

    def _counted_by(self, kind: Kind) -> list[int]:
        channel, tags, message_class = kind
        covers = [cap.counts.covers(channel, frozenset(tags), message_class) for cap in self._caps]
        return [index for index, counts in enumerate(covers) if counts]
