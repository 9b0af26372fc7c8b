"""Decide on messages that are due: ask the messages' own rules, then the gate, by what is known of their persons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from trigger_worker.deciding.experiment.placement import NOWHERE, Posteriors, place
from trigger_worker.deciding.gate.facts import MessageFacts, Rival
from trigger_worker.deciding.gate.judge import judge
from trigger_worker.deciding.gate.policy import Policy
from trigger_worker.deciding.gate.verdict import Verdict
from trigger_worker.deciding.recipient.profile import Profile, build_profile
from trigger_worker.deciding.recipient.recipients import Recipients
from trigger_worker.deciding.rule_verdicts import RuleVerdicts
from trigger_worker.people.state import PersonState
from trigger_worker.rules.evaluate.compiled_rule import CompiledRule
from trigger_worker.store.decisions import Version
from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.people import Person, Visitor
from trigger_worker.store.sent import SentMessage


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
    """Decide on messages that are due, by what is known of their persons.

    Args:
        recipients: finds addresses.
        posteriors: what adaptive experiments have learned.
    """

    def __init__(self, recipients: Recipients, posteriors: Posteriors) -> None:
        self._recipients = recipients
        self.posteriors = posteriors

    def decide(
        self,
        messages: Sequence[QueuedMessage],
        people: Mapping[Visitor, PersonState],
        rules: Mapping[Version, CompiledRule],
        policy: Policy,
        now_ms: int,
        under_way: Sequence[QueuedMessage] = (),
    ) -> list[Decided]:
        """Return a verdict on each message, the highest priority first; each counts for the messages that follow.

        Messages that are decided on together come together: a rule of lower priority yields to a rule that is let
        through to the same person on the same channel.

        Args:
            messages: the messages that are due, the earlier first.
            people: the person behind each visitor whom a message was asked for; the histories hold at least
                `PROFILE_WANTED` and `rule_verdict_needs`.
            rules: the compiled rules of the messages, by version, as far as they are still there.
            policy: the policy of the gate.
            now_ms: the instant of the decision, epoch ms.
            under_way: messages that are being handed over, which count as sent, too.

        Cost: none, but that of `Posteriors.of` for a rule that `Posteriors.missing` names.
        """
        known = self._gather(messages, people, rules, policy, now_ms, under_way)
        rivals: dict[tuple[Person, str], Rival] = {}
        decided = []
        for message in sorted(messages, key=lambda message: -message.priority):
            person = people[message.visitor].person
            one = self._judge(message, known, rivals.get((person, message.channel)))
            if one.verdict.decision == "send":
                known.sent[person].append(_as_sent(message, now_ms))
                if message.message_class == "marketing":
                    rivals.setdefault((person, message.channel), _as_rival(message))
            decided.append(one)
        return decided

    def _gather(
        self,
        messages: Sequence[QueuedMessage],
        people: Mapping[Visitor, PersonState],
        rules: Mapping[Version, CompiledRule],
        policy: Policy,
        now_ms: int,
        under_way: Sequence[QueuedMessage],
    ) -> _Known:
        """Return all that the verdicts depend on."""
        states = {state.person: state for state in (people[message.visitor] for message in messages)}
        profiles = {person: build_profile(person.visitor_id, state.history, now_ms) for person, state in states.items()}
        return _Known(
            people=people,
            rules=rules,
            policy=policy,
            now_ms=now_ms,
            profiles=profiles,
            rule_verdicts=RuleVerdicts(people, profiles, rules, now_ms),
            sent={person: _sent(state, policy, now_ms, under_way) for person, state in states.items()},
        )

    def _judge(self, message: QueuedMessage, known: _Known, rival: Rival | None) -> Decided:
        state, compiled = known.people[message.visitor], known.rules.get((message.rule, message.version))
        person, profile = state.person, known.profiles[state.person]
        recipients = self._recipients.of(message.channel, person, profile)
        placed = NOWHERE
        if compiled is not None and compiled.rule.experiment is not None:
            before = state.placements.get((message.rule, message.version))
            placed = place(compiled.rule, person, before, self.posteriors, known.now_ms)
        facts = MessageFacts(
            **message.identifiers(visitor_id=profile.visitor.id),
            expires_at_ms=message.expires_at,
            message_class=message.message_class,
            tags=frozenset(message.tags),
            priority=message.priority,
            rival=rival,
            rule_verdict=known.rule_verdicts.of(message),
            recipients=recipients,
            timezone=profile.visitor.timezone,
            quiet=compiled.rule.quiet if compiled else {},
            rule_holdout=compiled.rule.experiment.holdout if compiled and compiled.rule.experiment else 0.0,
            held_out=placed.held_out,
            consent=profile.permission.consent,
            unsubscribed=profile.permission.unsubscribed,
            suppressed=profile.permission.suppressed,
            history=tuple(known.sent[person]),
        )
        verdict = judge(facts, known.policy, known.now_ms)
        return Decided(message, verdict, placed.arm, person, profile, recipients)


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of messages that are decided on together; `sent` grows with each message that is let through."""

    people: Mapping[Visitor, PersonState]
    rules: Mapping[Version, CompiledRule]
    policy: Policy
    now_ms: int
    profiles: Mapping[Person, Profile]
    rule_verdicts: RuleVerdicts
    sent: Mapping[Person, list[SentMessage]]


def _sent(state: PersonState, policy: Policy, now_ms: int, under_way: Sequence[QueuedMessage]) -> list[SentMessage]:
    """Return what a person was sent, with what is being handed over; a message that is both counts once."""
    theirs = [message for message in under_way if _is_to(message, state.person)]
    before = state.sent(now_ms - policy.lookback_ms, but_not={message.message_id for message in theirs})
    return [*before, *(_as_sent(message, now_ms) for message in theirs)]


def _is_to(message: QueuedMessage, person: Person) -> bool:
    return message.site == person.site and message.visitor_id in person.ids


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
