"""From messages that are due to a verdict on each: what their rules say of them, then the gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from trigger_worker.deciding.experiment.placement import NOWHERE, Placement, Placements
from trigger_worker.deciding.gate.facts import MessageFacts, Rival, SentMessage
from trigger_worker.deciding.gate.judge import judge
from trigger_worker.deciding.gate.policy import Policy
from trigger_worker.deciding.gate.verdict import Verdict
from trigger_worker.deciding.recipient.profile import PROFILE_WANTED, Profile, build_profile
from trigger_worker.deciding.recipient.recipients import Recipients
from trigger_worker.deciding.rule_verdicts import RuleVerdicts, rule_verdict_needs
from trigger_worker.deciding.sequence.rule_versions import Version
from trigger_worker.rules.evaluate.compiled_rule import CompiledRule
from trigger_worker.rules.model import Rule
from trigger_worker.store.feed import Visitor
from trigger_worker.store.messages import read_sent
from trigger_worker.store.people import Person, find_people
from trigger_worker.store.records import QueuedMessage
from trigger_worker.store.windows import combine, read_histories
from warehouse.connection import Warehouse


class Decided(msgspec.Struct, frozen=True):
    """A message with its verdict and all that rendering and delivering it take; `arm` is the visitor's."""

    message: QueuedMessage
    verdict: Verdict
    arm: str
    person: Person
    profile: Profile
    recipients: tuple[str, ...]


class Decider:
    """Judges messages.

    Args:
        warehouse: where the facts are.
        recipients: finds addresses.
    """

    def __init__(self, warehouse: Warehouse, recipients: Recipients) -> None:
        self._warehouse = warehouse
        self._recipients = recipients
        self._placements = Placements(warehouse)

    def decide(
        self,
        messages: Sequence[QueuedMessage],
        rules: Mapping[Version, CompiledRule],
        policy: Policy,
        now_ms: int,
        under_way: Sequence[QueuedMessage] = (),
    ) -> list[Decided]:
        """Return a verdict on each message, the highest priority first; each counts for those that follow.

        Messages that are decided on together come together: a rule of lower priority yields to one that is let through
        to the same person on the same channel.

        Args:
            messages: due now, the earlier first; some hundred at most.
            rules: those that the messages were asked for by, as far as they are still there.
            policy: what holds for all of them.
            now_ms: the instant of the decision.
            under_way: being handed over, so that they count as sent, too.
        """
        messages = sorted(messages, key=lambda message: -message.priority)
        known = self._read(messages, rules, policy, now_ms, under_way)
        rivals: dict[tuple[Person, str], Rival] = {}
        decided = []
        for message in messages:
            person = known.people[_visitor(message)]
            one = _judged(message, known, rivals.get((person, message.channel)), policy, now_ms)
            if one.verdict.decision == "send":
                known.sent[person].append(_as_sent(message, now_ms))
                if message.message_class == "marketing":
                    rivals.setdefault((person, message.channel), _as_rival(message))
            decided.append(one)
        return decided

    def _read(
        self,
        messages: Sequence[QueuedMessage],
        rules: Mapping[Version, CompiledRule],
        policy: Policy,
        now_ms: int,
        under_way: Sequence[QueuedMessage],
    ) -> _Known:
        """Return all that the verdicts depend on: one query for each kind of fact, whatever the number of messages."""
        people = find_people(self._warehouse, {_visitor(message) for message in messages})
        everybody = set(people.values())
        wanted = combine([PROFILE_WANTED, rule_verdict_needs(messages, rules, now_ms)])
        histories = read_histories(self._warehouse, everybody, wanted, now_ms, now_ms)
        profiles = {person: build_profile(person.visitor_id, histories[person], now_ms) for person in everybody}
        return _Known(
            rules=rules,
            people=people,
            profiles=profiles,
            recipients=self._recipients,
            sent=self._sent(everybody, policy, now_ms, under_way),
            own=RuleVerdicts(self._warehouse, people, histories, profiles, rules, now_ms).of(messages),
            placed=self._placements.of(_with_rules(messages, people, rules), now_ms),
        )

    def _sent(
        self, people: set[Person], policy: Policy, now_ms: int, under_way: Sequence[QueuedMessage]
    ) -> dict[Person, list[SentMessage]]:
        ids = {message.message_id for message in under_way}
        sent = read_sent(self._warehouse, people, now_ms - policy.lookback_ms, but_not=ids)
        by_id = {Visitor(person.site, visitor_id): person for person in people for visitor_id in person.ids}
        for message in under_way:
            person = by_id.get(_visitor(message))
            if person is not None:
                sent[person].append(_as_sent(message, now_ms))
        return sent


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    """What was read for messages that are decided on together; `sent` grows with each that is let through."""

    rules: Mapping[Version, CompiledRule]
    people: Mapping[Visitor, Person]
    profiles: Mapping[Person, Profile]
    recipients: Recipients
    sent: Mapping[Person, list[SentMessage]]
    own: Mapping[str, Verdict]
    placed: Mapping[tuple[str, str, Person], Placement]


def _visitor(message: QueuedMessage) -> Visitor:
    return Visitor(message.site, message.visitor_id)


def _judged(message: QueuedMessage, known: _Known, rival: Rival | None, policy: Policy, now_ms: int) -> Decided:
    person = known.people[_visitor(message)]
    profile = known.profiles[person]
    recipients = known.recipients.of(message.channel, person, profile)
    place = known.placed.get((message.rule, message.version, person), NOWHERE)
    compiled = known.rules.get((message.rule, message.version))
    facts = MessageFacts(
        site=message.site,
        visitor_id=profile.visitor.id,
        channel=message.channel,
        rule=message.rule,
        expires_at_ms=message.expires_at,
        message_class=message.message_class,
        tags=frozenset(message.tags),
        priority=message.priority,
        rival=rival,
        own=known.own.get(message.message_id),
        recipients=recipients,
        timezone=profile.visitor.timezone,
        quiet=compiled.rule.quiet if compiled else {},
        rule_holdout=compiled.rule.experiment.holdout if compiled and compiled.rule.experiment else 0.0,
        held_out=place.held_out,
        consent=profile.permission.consent,
        unsubscribed=profile.permission.unsubscribed,
        suppressed=profile.permission.suppressed,
        history=tuple(known.sent[person]),
    )
    return Decided(message, judge(facts, policy, now_ms), place.arm, person, profile, recipients)


def _with_rules(
    messages: Sequence[QueuedMessage], people: Mapping[Visitor, Person], rules: Mapping[Version, CompiledRule]
) -> list[tuple[Rule, Person]]:
    """Return whom each rule that is still there is about."""
    found = ((rules.get((message.rule, message.version)), people[_visitor(message)]) for message in messages)
    return [(compiled.rule, person) for compiled, person in found if compiled is not None]


def _as_rival(message: QueuedMessage) -> Rival:
    return Rival(message.rule, message.message_id, message.priority)


def _as_sent(message: QueuedMessage, now_ms: int) -> SentMessage:
    return SentMessage(
        channel=message.channel,
        rule=message.rule,
        at_ms=now_ms,
        tags=frozenset(message.tags),
        message_class=message.message_class,
    )
