"""Verdicts of rules on their own messages: the rule is gone, has reached its goal, was restarted, or says when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from trigger_worker.deciding.gate.verdict import Verdict, drop
from trigger_worker.deciding.recipient.profile import Profile
from trigger_worker.deciding.sequence.queueing import next_local_time
from trigger_worker.rules.evaluate.compiled_rule import CompiledRule
from trigger_worker.rules.evaluate.history import History
from trigger_worker.store.decisions import Reason
from trigger_worker.store.fires import read_restarted
from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.people import Person, Visitor
from trigger_worker.store.rule_versions import Version
from trigger_worker.store.sent import read_fire_facts
from trigger_worker.store.windows import Wanted, combine
from warehouse.queries import Queries

_REMOVED: Final = drop(Reason.RULE_REMOVED)
_GOAL_REACHED: Final = drop(Reason.GOAL_REACHED)

#: By id of the message.
Verdicts = dict[str, Verdict]


def rule_verdict_needs(messages: Iterable[QueuedMessage], rules: Mapping[Version, CompiledRule], now_ms: int) -> Wanted:
    """Return the part of people's histories that `RuleVerdicts` looks at for some messages."""
    fired_at: dict[Version, int] = {}
    for message in messages:
        version = message.rule, message.version
        fired_at[version] = min(message.fired_at, fired_at.get(version, message.fired_at))
    asked = [(rules[version], now_ms - earliest) for version, earliest in fired_at.items() if version in rules]
    return combine(need for compiled, span in asked for need in (compiled.sending_needs, *compiled.goal_needs(span)))


class RuleVerdicts:
    """Ask rules about their messages, each by the version that asked for the message.

    Args:
        queries: the ClickHouse database with firings and messages.
        people: the person behind each visitor whom a message was asked for.
        histories: the persons' histories, at least `rule_verdict_needs`.
        profiles: the persons' profiles.
        rules: the compiled rules, by version.
        now_ms: the instant of the decision, epoch ms.
    """

    def __init__(
        self,
        queries: Queries,
        people: Mapping[Visitor, Person],
        histories: Mapping[Person, History],
        profiles: Mapping[Person, Profile],
        rules: Mapping[Version, CompiledRule],
        now_ms: int,
    ) -> None:
        self._queries = queries
        self._people = people
        self._histories = histories
        self._profiles = profiles
        self._rules = rules
        self._now_ms = now_ms

    def of(self, messages: Sequence[QueuedMessage]) -> Verdicts:
        """Return the verdicts on the messages that their rules drop or defer.

        Cost: nothing for rules without `restart`, goal, `if` and `unless`; else one query for the firings of rules
        with `restart`, and one for each version that must be asked, for the states of its firings' messages.
        """
        present = [message for message in messages if (message.rule, message.version) in self._rules]
        present_ids = {message.message_id for message in present}
        found = {message.message_id: _REMOVED for message in messages if message.message_id not in present_ids}
        found |= self._restarted(present)
        asked: dict[Version, list[QueuedMessage]] = defaultdict(list)
        for message in present:
            if message.message_id not in found:
                verdict = self._left(message) or self._scheduled(message)
                if verdict is not None:
                    found[message.message_id] = verdict
                elif self._must_be_asked(message):
                    asked[message.rule, message.version].append(message)
        for version, group in asked.items():
            found |= self._asked_again(self._rules[version], group)
        return found

    def _restarted(self, messages: Iterable[QueuedMessage]) -> Verdicts:
        """Drop the messages of firings that a newer firing of their rule, person and key has ended."""
        restarting = [message for message in messages if self._rule_of(message).rule.restart]
        if not restarting:
            return {}
        people = {self._person(message) for message in restarting}
        newest = read_restarted(self._queries, people, {message.fire_id for message in restarting})
        return {
            message.message_id: drop(Reason.RESTARTED, newer_fire_id=newest[message.fire_id])
            for message in restarting
            if message.fire_id in newest
        }

    def _left(self, message: QueuedMessage) -> Verdict | None:
        """Drop marketing, on any channel, after the person unsubscribed from anything since the firing."""
        left_at = self._profiles[self._person(message)].unsubscribed_at
        if message.message_class == "transactional" or left_at is None or left_at <= message.fired_at:
            return None
        return drop(Reason.UNSUBSCRIBED, since_the_firing=True, unsubscribed_at_ms=left_at)

    def _scheduled(self, message: QueuedMessage) -> Verdict | None:
        """Defer a message that has a time of day until then, once."""
        entry = self._rule_of(message).rule.send[message.position]
        if entry.at_minute is None or message.due_at != message.fired_at + entry.after_ms:
            return None
        timezone = self._profiles[self._person(message)].visitor.timezone
        due_at = next_local_time(entry.at_minute, self._now_ms, timezone)
        if due_at == message.due_at:
            return None
        return Verdict("defer", Reason.SCHEDULED, {"timezone": timezone or "UTC"}, due_at)

    def _must_be_asked(self, message: QueuedMessage) -> bool:
        rule = self._rule_of(message).rule
        entry = rule.send[message.position]
        return rule.goal is not None or entry.condition is not None or entry.unless is not None

    def _asked_again(self, compiled: CompiledRule, messages: list[QueuedMessage]) -> Verdicts:
        people = {self._person(message) for message in messages}
        facts = read_fire_facts(self._queries, people, (message.fire_id for message in messages))
        verdicts = {message.message_id: self._answer(compiled, message, facts[message.fire_id]) for message in messages}
        return {message_id: verdict for message_id, verdict in verdicts.items() if verdict is not None}

    def _answer(self, compiled: CompiledRule, message: QueuedMessage, facts: dict[str, bool]) -> Verdict | None:
        history = self._histories[self._person(message)]
        if compiled.goal_reached(history, message.fired_at, self._now_ms):
            return _GOAL_REACHED
        entry = compiled.rule.send[message.position]
        if compiled.may_send(entry, history, self._now_ms, {**facts, "goal_reached": False}):
            return None
        return drop(Reason.CONDITION, known=sorted(facts))

    def _rule_of(self, message: QueuedMessage) -> CompiledRule:
        return self._rules[message.rule, message.version]

    def _person(self, message: QueuedMessage) -> Person:
        return self._people[message.visitor]
