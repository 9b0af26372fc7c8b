"""From messages that are due to a verdict on each: goal, the message's own conditions, then the gate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from trigger_worker.evaluate.history import History
from trigger_worker.gate.arms import choose_arm
from trigger_worker.gate.facts import MessageFacts, SentMessage
from trigger_worker.gate.gate import judge
from trigger_worker.gate.policy import Policy
from trigger_worker.gate.verdict import Reason, Verdict
from trigger_worker.goal import goal_needs, goal_reached
from trigger_worker.live_rule import LiveRule
from trigger_worker.profile import PROFILE_WANTED, Profile, build_profile
from trigger_worker.reading.feed import Visitor
from trigger_worker.reading.outgoing import read_fire_facts, read_sent
from trigger_worker.reading.people import Person, find_people
from trigger_worker.reading.window import combine, read_histories
from trigger_worker.records import QueuedMessage
from trigger_worker.schedule import next_local_time
from warehouse.connection import Warehouse

#: Says that a rule was removed or changed since it fired: its message is not what anybody wants sent any more.
_RULE_GONE: Final = Verdict("drop", Reason.RULE_CHANGED)


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
        webhook_address: where webhooks go; '' for nowhere.
    """

    def __init__(self, warehouse: Warehouse, webhook_address: str) -> None:
        self._warehouse = warehouse
        self._recipients: Mapping[str, Callable[[Person, Profile], tuple[str, ...]]] = {
            "banner": lambda person, _: browsers(person),
            "email": lambda _, profile: (profile.visitor.email,) if profile.visitor.email else (),
            "webhook": lambda *_: (webhook_address,) if webhook_address else (),
        }

    def decide(
        self,
        messages: Sequence[QueuedMessage],
        rules: Mapping[str, LiveRule],
        policy: Policy,
        now_ms: int,
        under_way: Sequence[QueuedMessage] = (),
    ) -> list[Decided]:
        """Return a verdict on each message, in their order; each counts for those that follow.

        Args:
            messages: due now, the more urgent first; some hundred at most.
            rules: live ones, by id.
            policy: what holds for all of them.
            now_ms: the instant of the decision.
            under_way: being handed over, so that they count as sent, too.
        """
        people = find_people(self._warehouse, {_visitor(message) for message in messages})
        profiles = self._profiles(set(people.values()), now_ms)
        sent = self._sent(set(people.values()), policy, now_ms, under_way)
        stopped = self._stopped(messages, people, rules, now_ms)
        decided = []
        for message in messages:
            person = people[_visitor(message)]
            profile = profiles[person]
            recipients = self._recipients.get(message.channel, _nowhere)(person, profile)
            facts = _facts(message, rules.get(message.rule), profile, recipients, sent[person])
            verdict = (
                stopped.get(message.message_id)
                or _scheduled(message, rules[message.rule], profile, now_ms)
                or judge(facts, policy, now_ms)
            )
            if verdict.verdict == "send":
                sent[person].append(_as_sent(message, now_ms))
            arm = _arm(rules.get(message.rule), person)
            decided.append(Decided(message, verdict, arm, person, profile, recipients))
        return decided

    def _profiles(self, people: set[Person], now_ms: int) -> dict[Person, Profile]:
        histories = read_histories(self._warehouse, people, PROFILE_WANTED, now_ms, now_ms)
        return {person: build_profile(person.visitor_id, history, now_ms) for person, history in histories.items()}

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

    def _stopped(
        self,
        messages: Sequence[QueuedMessage],
        people: Mapping[Visitor, Person],
        rules: Mapping[str, LiveRule],
        now_ms: int,
    ) -> dict[str, Verdict]:
        """Return the verdict on each message that its own rule stops."""
        stopped: dict[str, Verdict] = {}
        asked: dict[str, list[QueuedMessage]] = defaultdict(list)
        for message in messages:
            live = rules.get(message.rule)
            if live is None or live.rule.version != message.version:
                stopped[message.message_id] = _RULE_GONE
            elif live.rule.goal is not None or _conditional(live, message):
                asked[message.rule].append(message)
        for rule_id, conditional in asked.items():
            stopped |= self._asked_again(rules[rule_id], conditional, people, now_ms)
        return stopped

    def _asked_again(
        self, live: LiveRule, messages: list[QueuedMessage], people: Mapping[Visitor, Person], now_ms: int
    ) -> dict[str, Verdict]:
        who = {message.message_id: people[_visitor(message)] for message in messages}
        fired_at = min(message.fired_at for message in messages)
        wanted = combine([live.sending_needs, *goal_needs(live.rule.goal, now_ms - fired_at)])
        histories = read_histories(self._warehouse, set(who.values()), wanted, now_ms, now_ms)
        facts = read_fire_facts(self._warehouse, set(who.values()), (message.fire_id for message in messages))
        stopped: dict[str, Verdict] = {}
        for message in messages:
            history = histories[who[message.message_id]]
            verdict = _own_verdict(live, message, history, facts[message.fire_id], now_ms)
            if verdict is not None:
                stopped[message.message_id] = verdict
        return stopped


def _visitor(message: QueuedMessage) -> Visitor:
    return Visitor(message.site, message.visitor_id)


def _nowhere(_person: Person, _profile: Profile) -> tuple[str, ...]:
    return ()


def browsers(person: Person) -> tuple[str, ...]:
    """Return the anonymous ids whose pages may show a person's banners.

    A known person's own id is none of them: anybody could claim it as the anonymous id of a page.
    """
    return person.ids[1:] or person.ids


def _own_verdict(
    live: LiveRule, message: QueuedMessage, history: History, facts: dict[str, bool], now_ms: int
) -> Verdict | None:
    reached = goal_reached(live.rule.goal, history, message.fired_at, now_ms)
    if reached:
        return Verdict("drop", Reason.GOAL_REACHED)
    entry = live.rule.send[message.position]
    if live.compiled.may_send(entry, history, now_ms, {**facts, "goal_reached": reached}):
        return None
    return Verdict("drop", Reason.CONDITION, {"known": sorted(facts)})


def _scheduled(message: QueuedMessage, live: LiveRule, profile: Profile, now_ms: int) -> Verdict | None:
    """Put a message that has a time of day off until then, once."""
    entry = live.rule.send[message.position]
    if entry.at_minute is None or message.due_at != message.fired_at + entry.after_ms:
        return None
    due_at = next_local_time(entry.at_minute, now_ms, profile.visitor.timezone)
    if due_at == message.due_at:
        return None
    return Verdict("defer", Reason.SCHEDULED, {"timezone": profile.visitor.timezone or "UTC"}, due_at)


def _conditional(live: LiveRule, message: QueuedMessage) -> bool:
    entry = live.rule.send[message.position]
    return entry.condition is not None or entry.unless is not None


def _facts(
    message: QueuedMessage,
    live: LiveRule | None,
    profile: Profile,
    recipients: tuple[str, ...],
    history: list[SentMessage],
) -> MessageFacts:
    return MessageFacts(
        site=message.site,
        visitor_id=message.visitor_id,
        channel=message.channel,
        rule=message.rule,
        expires_at_ms=message.expires_at,
        message_class=message.message_class,
        tags=frozenset(message.tags),
        recipients=recipients,
        timezone=profile.visitor.timezone,
        quiet=live.rule.quiet if live else None,
        rule_holdout=live.rule.experiment.holdout if live and live.rule.experiment else 0.0,
        consent=profile.consent,
        unsubscribed=profile.unsubscribed,
        history=tuple(history),
    )


def _arm(live: LiveRule | None, person: Person) -> str:
    if live is None or live.rule.experiment is None:
        return ""
    return choose_arm(live.rule.experiment.arms, person.site, live.rule.id, person.visitor_id)


def _as_sent(message: QueuedMessage, now_ms: int) -> SentMessage:
    return SentMessage(
        channel=message.channel,
        rule=message.rule,
        at_ms=now_ms,
        tags=frozenset(message.tags),
        message_class=message.message_class,
    )
