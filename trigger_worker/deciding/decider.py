"""Decide on messages that are due: read the facts, ask the messages' own rules, then the gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from trigger_worker.deciding.experiment.placement import NOWHERE, Placements
from trigger_worker.deciding.gate.facts import MessageFacts, Rival
from trigger_worker.deciding.gate.judge import judge
from trigger_worker.deciding.gate.policy import Policy
from trigger_worker.deciding.gate.verdict import Verdict
from trigger_worker.deciding.recipient.profile import PROFILE_WANTED, Profile, build_profile
from trigger_worker.deciding.recipient.recipients import Recipients
from trigger_worker.deciding.rule_verdicts import RuleVerdicts, rule_verdict_needs
from trigger_worker.rules.evaluate.compiled_rule import CompiledRule
from trigger_worker.rules.model import Rule
from trigger_worker.store.decisions import Placed, Placement
from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.people import Person, Visitor, find_people
from trigger_worker.store.rule_versions import Version
from trigger_worker.store.sent import SentMessage, read_sent
from trigger_worker.store.windows import combine, read_histories
from warehouse.queries import Queries


class Decided(msgspec.Struct, frozen=True):
    """A message with its verdict and all that rendering and delivering it take.

    Args:
        message: the message.
        verdict: the verdict.
        arm: the person's arm of the rule's experiment; '' without one.
        person: the person whom it is for.
        profile: the person's profile.
        recipients: the person's addresses on the channel.
    """

    message: QueuedMessage
    verdict: Verdict
    arm: str
    person: Person
    profile: Profile
    recipients: tuple[str, ...]


class Decider:
    """Give verdicts on messages.

    Args:
        queries: the ClickHouse database.
        recipients: finds addresses.
    """

    def __init__(self, queries: Queries, recipients: Recipients) -> None:
        self._queries = queries
        self._recipients = recipients
        self._placements = Placements(queries)

    def decide(
        self,
        messages: Sequence[QueuedMessage],
        rules: Mapping[Version, CompiledRule],
        policy: Policy,
        now_ms: int,
        under_way: Sequence[QueuedMessage] = (),
    ) -> list[Decided]:
        """Return a verdict on each message, the highest priority first; each counts for the messages that follow.

        Messages that are decided on together come together: a rule of lower priority yields to a rule that is let
        through to the same person on the same channel.

        Args:
            messages: the messages that are due, the earlier first; some hundred at most.
            rules: the compiled rules of the messages, by version, as far as they are still there.
            policy: the policy of the gate.
            now_ms: the instant of the decision, epoch ms.
            under_way: messages that are being handed over, which count as sent, too.

        Cost: one query for each kind of fact, whatever the number of messages: people, histories, messages sent
        before, and as `RuleVerdicts.of` and `Placements.of` say; each reads the rows of these people alone.
        """
        messages = sorted(messages, key=lambda message: -message.priority)
        known = self._read(messages, rules, policy, now_ms, under_way)
        rivals: dict[tuple[Person, str], Rival] = {}
        decided = []
        for message in messages:
            person = known.people[message.visitor]
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
        """Return all that the verdicts depend on."""
        people = find_people(self._queries, {message.visitor for message in messages})
        everybody = set(people.values())
        wanted = combine([PROFILE_WANTED, rule_verdict_needs(messages, rules, now_ms)])
        histories = read_histories(self._queries, everybody, wanted, now_ms, now_ms)
        profiles = {person: build_profile(person.visitor_id, histories[person], now_ms) for person in everybody}
        return _Known(
            rules=rules,
            people=people,
            profiles=profiles,
            recipients=self._recipients,
            sent=self._sent(everybody, policy, now_ms, under_way),
            rule_verdicts=RuleVerdicts(self._queries, people, histories, profiles, rules, now_ms).of(messages),
            placed=self._placements.of(_with_rules(messages, people, rules), now_ms),
        )

    def _sent(
        self, people: set[Person], policy: Policy, now_ms: int, under_way: Sequence[QueuedMessage]
    ) -> dict[Person, list[SentMessage]]:
        ids = {message.message_id for message in under_way}
        sent = read_sent(self._queries, people, now_ms - policy.lookback_ms, but_not=ids)
        by_id = {Visitor(person.site, visitor_id): person for person in people for visitor_id in person.ids}
        for message in under_way:
            person = by_id.get(message.visitor)
            if person is not None:
                sent[person].append(_as_sent(message, now_ms))
        return sent


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of messages that are decided on together; `sent` grows with each message that is let through."""

    rules: Mapping[Version, CompiledRule]
    people: Mapping[Visitor, Person]
    profiles: Mapping[Person, Profile]
    recipients: Recipients
    sent: Mapping[Person, list[SentMessage]]
    rule_verdicts: Mapping[str, Verdict]
    placed: Mapping[Placed, Placement]


def _judged(message: QueuedMessage, known: _Known, rival: Rival | None, policy: Policy, now_ms: int) -> Decided:
    person = known.people[message.visitor]
    profile = known.profiles[person]
    recipients = known.recipients.of(message.channel, person, profile)
    place = known.placed.get((message.rule, message.version, person), NOWHERE)
    compiled = known.rules.get((message.rule, message.version))
    facts = MessageFacts(
        **message.identifiers(visitor_id=profile.visitor.id),
        expires_at_ms=message.expires_at,
        message_class=message.message_class,
        tags=frozenset(message.tags),
        priority=message.priority,
        rival=rival,
        rule_verdict=known.rule_verdicts.get(message.message_id),
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
    """Return the rule and the person of each message whose rule is still there."""
    found = ((rules.get((message.rule, message.version)), people[message.visitor]) for message in messages)
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
