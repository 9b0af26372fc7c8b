"""Decide on messages that are due: ask the messages' own rules, then the gate, by what is known of their persons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from trigger_worker.deciding.experiment.placement import NOWHERE, Posteriors, place
from trigger_worker.deciding.gate.facts import MessageFacts, Rival
from trigger_worker.deciding.gate.judge import judge
from trigger_worker.deciding.gate.policy import Policy
from trigger_worker.deciding.gate.verdict import Verdict
from trigger_worker.deciding.recipient.addressing import Addressing, open_recipients
from trigger_worker.deciding.recipient.profile import Profile, build_profile
from trigger_worker.deciding.recipient.recipients import Recipients, email_trouble
from trigger_worker.deciding.rule_verdicts import RuleVerdicts
from trigger_worker.deciding.sequence.hourly_messages import HourlyMessages
from trigger_worker.people.state import PersonState
from trigger_worker.rules.evaluate.compiled_rule import CompiledRule
from trigger_worker.store.decisions import Version
from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.people import Person, Visitor
from trigger_worker.store.sent import SentMessage
from warehouse.address_ledger import LEDGER_CHANNELS, AddressKey


class Decided(msgspec.Struct, frozen=True):
    """A message with its verdict and all that rendering and delivering it take.

    Args:
        message: the message.
        verdict: the verdict.
        arm: the person's arm of the rule's experiment; '' without one.
        person: the person whom it is for.
        profile: the person's profile.
        recipients: the person's addresses on the channel, without those that take no such message.
        addresses: the keyed hashes of the recipients, where the channel has a ledger of addresses.
    """

    message: QueuedMessage
    verdict: Verdict
    arm: str
    person: Person
    profile: Profile
    recipients: tuple[str, ...]
    addresses: tuple[str, ...] = ()


class Decider:
    """Decide on messages that are due, by what is known of their persons.

    Args:
        recipients: finds addresses.
        addressing: tells what is known of these, whichever visitors name them.
        hourly: counts the messages of each hour.
        posteriors: what adaptive experiments have learned.
    """

    def __init__(
        self, recipients: Recipients, addressing: Addressing, hourly: HourlyMessages, posteriors: Posteriors
    ) -> None:
        self._recipients = recipients
        self._addressing = addressing
        self.hourly = hourly
        self.posteriors = posteriors

    def addresses_of(
        self, messages: Iterable[QueuedMessage], people: Mapping[Visitor, PersonState], now_ms: int
    ) -> dict[str, tuple[AddressKey, ...]]:
        """Return, by message, the addresses that have to be in memory before the message is decided on.

        Args:
            messages: some messages.
            people: the person behind each visitor whom a message was asked for.
            now_ms: the instant of the decision, epoch ms.
        """
        found: dict[str, tuple[AddressKey, ...]] = {}
        profiles: dict[Person, Profile] = {}
        for message in messages:
            if message.channel in LEDGER_CHANNELS:
                state = people[message.visitor]
                if state.person not in profiles:
                    profiles[state.person] = build_profile(state.person.visitor_id, state.history, now_ms)
                recipients = self._recipients.of(message.channel, state.person, profiles[state.person])
                keys = self._addressing.keys_of(message.site, message.channel, recipients)
                found[message.message_id] = tuple(keys.values())
        return found

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
        decided = []
        for message in sorted(messages, key=lambda message: -message.priority):
            keys = self._keys_of(message, known)
            one = self._judge(message, known, keys)
            if one.verdict.decision == "send":
                self.hourly.add(message, now_ms)
                known.send(message, one.person, [keys[recipient] for recipient in one.recipients if recipient in keys])
                self._addressing.claim(message, (keys[recipient] for recipient in one.recipients if recipient in keys))
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
        self._addressing.release(under_way)
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
            under_way={message.message_id: _as_sent(message, now_ms) for message in under_way},
            rivals={},
        )

    def _keys_of(self, message: QueuedMessage, known: _Known) -> dict[str, AddressKey]:
        """Return, by recipient of a message, the key of the address; a channel without a ledger has none."""
        if message.channel not in LEDGER_CHANNELS:
            return {}
        person = known.people[message.visitor].person
        recipients = self._recipients.of(message.channel, person, known.profiles[person])
        return self._addressing.keys_of(message.site, message.channel, recipients)

    def _judge(self, message: QueuedMessage, known: _Known, keys: Mapping[str, AddressKey]) -> Decided:
        state, compiled = known.people[message.visitor], known.rules.get((message.rule, message.version))
        person, profile = state.person, known.profiles[state.person]
        standings = self._addressing.standings(keys)
        recipients = open_recipients(
            self._recipients.of(message.channel, person, profile),
            standings,
            marketing=message.message_class == "marketing",
        )
        addressed = [keys[recipient] for recipient in recipients if recipient in keys]
        since = known.now_ms - known.policy.lookback_ms
        history = self._addressing.sent(addressed, since, known.under_way) | known.sent[person]
        placed = NOWHERE
        if compiled is not None and compiled.rule.experiment is not None:
            before = state.placements.get((message.rule, message.version))
            placed = place(compiled.rule, person, before, self.posteriors, known.now_ms, state.placed_as)
        facts = MessageFacts(
            **message.identifiers(visitor_id=profile.visitor.id),
            expires_at_ms=message.expires_at,
            message_class=message.message_class,
            tags=frozenset(message.tags),
            priority=message.priority,
            rival=known.rival(message, person, addressed),
            rule_verdict=known.rule_verdicts.of(message),
            recipients=recipients,
            unreachable="" if recipients else email_trouble(message.channel, profile),
            standings=standings,
            proven=profile.proven,
            needs_confirmation=self._addressing.needs_confirmation(message.site, message.channel),
            room_at_ms=self.hourly.room_at(message, known.now_ms),
            timezone=profile.visitor.timezone,
            quiet=compiled.rule.quiet if compiled else {},
            placed_as=state.placed_as,
            rule_holdout=compiled.rule.experiment.holdout if compiled and compiled.rule.experiment else 0.0,
            held_out=placed.held_out,
            consent=profile.permission.consent,
            unsubscribed=profile.permission.unsubscribed,
            suppressed=profile.permission.suppressed,
            history=tuple(sorted(history.values(), key=lambda sent: sent.at_ms)),
        )
        verdict = judge(facts, known.policy, known.now_ms)
        addresses = tuple(key.address for key in addressed)
        return Decided(message, verdict, placed.arm, person, profile, recipients, addresses)


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of messages that are decided on together.

    Args:
        sent, under_way: by id, the messages that a person was sent, and those that are being handed over to anybody;
            both grow with each message that is let through.
        rivals: by person or address, and channel, the first marketing message that was let through.
    """

    people: Mapping[Visitor, PersonState]
    rules: Mapping[Version, CompiledRule]
    policy: Policy
    now_ms: int
    profiles: Mapping[Person, Profile]
    rule_verdicts: RuleVerdicts
    sent: Mapping[Person, dict[str, SentMessage]]
    under_way: dict[str, SentMessage]
    rivals: dict[tuple[Person | AddressKey, str], Rival]

    def rival(self, message: QueuedMessage, person: Person, keys: Iterable[AddressKey]) -> Rival | None:
        """Return the marketing message that was let through to the same person or address, on the same channel."""
        found = (self.rivals.get((whom, message.channel)) for whom in _everybody(person, keys))
        return next((rival for rival in found if rival is not None), None)

    def send(self, message: QueuedMessage, person: Person, keys: Iterable[AddressKey]) -> None:
        """Count a message that is let through for those that follow."""
        sent = _as_sent(message, self.now_ms)
        self.sent[person][message.message_id] = sent
        self.under_way[message.message_id] = sent
        if message.message_class == "marketing":
            for whom in _everybody(person, keys):
                self.rivals.setdefault((whom, message.channel), _as_rival(message))


def _everybody(person: Person, keys: Iterable[AddressKey]) -> Iterator[Person | AddressKey]:
    """Yield whoever a message goes to: the person, and whoever reads at the addresses."""
    yield person
    yield from keys


def _sent(
    state: PersonState, policy: Policy, now_ms: int, under_way: Sequence[QueuedMessage]
) -> dict[str, SentMessage]:
    """Return, by id, what a person was sent, and what is being handed over."""
    theirs = {message.message_id: _as_sent(message, now_ms) for message in under_way if _is_to(message, state.person)}
    return state.sent(now_ms - policy.lookback_ms, but_not=theirs) | theirs


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
