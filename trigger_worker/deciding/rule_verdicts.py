"""Verdicts of rules on their own messages: the rule is gone, has reached its goal, was restarted, or says when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from trigger_worker.deciding.gate.verdict import Verdict, drop
from trigger_worker.deciding.recipient.profile import Profile
from trigger_worker.deciding.sequence.queueing import next_local_time
from trigger_worker.people.state import PersonState
from trigger_worker.rules.evaluate.compiled_rule import CompiledRule
from trigger_worker.store.decisions import Reason, Version
from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.people import Person, Visitor
from trigger_worker.store.windows import Wanted, combine

_REMOVED: Final = drop(Reason.RULE_REMOVED)
_GOAL_REACHED: Final = drop(Reason.GOAL_REACHED)


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
        people: the state of the person behind each visitor whom a message was asked for; the histories hold at least
            `rule_verdict_needs`.
        profiles: the persons' profiles.
        rules: the compiled rules, by version.
        now_ms: the instant of the decision, epoch ms.
    """

    def __init__(
        self,
        people: Mapping[Visitor, PersonState],
        profiles: Mapping[Person, Profile],
        rules: Mapping[Version, CompiledRule],
        now_ms: int,
    ) -> None:
        self._people = people
        self._profiles = profiles
        self._rules = rules
        self._now_ms = now_ms

    def of(self, message: QueuedMessage) -> Verdict | None:
        """Return the verdict on a message that its rule drops or defers, None where the rule has nothing against it."""
        compiled = self._rules.get((message.rule, message.version))
        if compiled is None:
            return _REMOVED
        return (
            self._restarted(compiled, message)
            or self._left(message)
            or self._scheduled(compiled, message)
            or self._answer(compiled, message)
        )

    def _restarted(self, compiled: CompiledRule, message: QueuedMessage) -> Verdict | None:
        """Drop the message of a firing that a newer firing of its rule, person and key has ended."""
        if not compiled.rule.restart:
            return None
        newest = self._people[message.visitor].fires.newer_than(message.fire_id)
        return None if newest is None else drop(Reason.RESTARTED, newer_fire_id=newest)

    def _left(self, message: QueuedMessage) -> Verdict | None:
        """Drop marketing, on any channel, after the person unsubscribed from anything since the firing."""
        left_at = self._profiles[self._person(message)].unsubscribed_at
        if message.message_class == "transactional" or left_at is None or left_at <= message.fired_at:
            return None
        return drop(Reason.UNSUBSCRIBED, since_the_firing=True, unsubscribed_at_ms=left_at)

    def _scheduled(self, compiled: CompiledRule, message: QueuedMessage) -> Verdict | None:
        """Defer a message that has a time of day until then, once."""
        entry = compiled.rule.send[message.position]
        if entry.at_minute is None or message.due_at != message.fired_at + entry.after_ms:
            return None
        timezone = self._profiles[self._person(message)].visitor.timezone
        due_at = next_local_time(entry.at_minute, self._now_ms, timezone)
        if due_at == message.due_at:
            return None
        return Verdict("defer", Reason.SCHEDULED, {"timezone": timezone or "UTC"}, due_at)

    def _answer(self, compiled: CompiledRule, message: QueuedMessage) -> Verdict | None:
        """Drop a message whose rule has reached its goal, or whose own `if` or `unless` says no."""
        rule, state = compiled.rule, self._people[message.visitor]
        entry = rule.send[message.position]
        if rule.goal is None and entry.condition is None and entry.unless is None:
            return None
        if compiled.goal_reached(state.history, message.fired_at, self._now_ms):
            return _GOAL_REACHED
        facts = state.fire_facts(message.fire_id)
        if compiled.may_send(entry, state.history, self._now_ms, {**facts, "goal_reached": False}):
            return None
        return drop(Reason.CONDITION, known=sorted(facts))

    def _person(self, message: QueuedMessage) -> Person:
        return self._people[message.visitor].person
