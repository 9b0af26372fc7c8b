"""A rule, ready to be asked of visitors."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID, uuid5

import msgspec

from trigger_worker.rules.evaluate.expression import Explanation, ExpressionCompiler
from trigger_worker.rules.evaluate.history import History, Moment
from trigger_worker.rules.evaluate.needs import Needs, needs, selection_needs, sending_needs
from trigger_worker.rules.evaluate.pattern import Match, PatternMatcher
from trigger_worker.rules.evaluate.selector import compile_selection
from trigger_worker.rules.language.syntax import Selection, Step
from trigger_worker.rules.model import Audiences, Rule, SendEntry


class CompiledRule:
    """A rule whose pattern and conditions are compiled; make it once per version, ask it often.

    Args:
        rule: what to compile.
        expressions: compiles expressions; one for all rules shares the audiences between them.
    """

    def __init__(self, rule: Rule, expressions: ExpressionCompiler) -> None:
        self.rule = rule
        self._expressions = expressions
        self._pattern = PatternMatcher(rule.when, rule.key)
        self._condition = None if rule.condition is None else expressions.compile(rule.condition)

    def matches(self, history: History, since: int, until: int) -> list[Match]:
        """Returns where `when` matches with `since <= at <= until`, whatever `if` says."""
        return self._pattern.matches(history, since, until)

    def qualifies(self, history: History, at: int) -> bool:
        """Whether `if` is true of the visitor at an instant."""
        return self._condition is None or self._condition(Moment(history, at)) is True

    def firings(
        self, history: History, since: int, until: int, fired_before: Mapping[str, Sequence[int]]
    ) -> list[Match]:
        """Returns the matches with `since <= at <= until` that fire.

        Args:
            history: the visitor's events, as far back as the rule needs.
            since: milliseconds since 1970 in UTC.
            until: the same.
            fired_before: per key the instants of this rule's firings for the visitor up to now.
        """
        matches = self.matches(history, since, until)
        if not matches:
            return []
        return firings(matches, self.rule.every_ms, fired_before, lambda match: self.qualifies(history, match.at))

    def may_send(self, message: SendEntry, history: History, at: int, facts: Mapping[str, bool]) -> bool:
        """Whether a message's own `if` and `unless` let it go.

        Args:
            message: one of the rule's.
            history: the visitor's events up to now.
            at: now, in milliseconds since 1970 in UTC.
            facts: what became of this firing's messages, such as `opened(email)`, and `goal_reached`.
        """
        moment = Moment(history, at, facts)
        wanted = message.condition is None or self._expressions.compile(message.condition)(moment) is True
        return wanted and (message.unless is None or self._expressions.compile(message.unless)(moment) is not True)

    def explain(self, history: History, at: int) -> Explanation | None:
        """Returns what each part of `if` came to at an instant, None for a rule without `if`."""
        if self.rule.condition is None:
            return None
        return self._expressions.explain(self.rule.condition, Moment(history, at))


def evaluate(
    rule: Rule,
    history: History,
    since: int,
    until: int,
    fired_before: Mapping[str, Sequence[int]],
    audiences: Audiences,
) -> list[Match]:
    """Returns the firings of one rule for one visitor, as `CompiledRule.firings` does for many."""
    return CompiledRule(rule, ExpressionCompiler(audiences)).firings(history, since, until, fired_before)


class LiveRule(msgspec.Struct, frozen=True, eq=False):
    """A compiled rule with what it looks at.

    Args:
        compiled: answers whether it matches.
        needs: of `when` and `if`.
        sending_needs: of the `if` and `unless` of its messages.
    """

    compiled: CompiledRule
    needs: Needs
    sending_needs: Needs

    @property
    def rule(self) -> Rule:
        """The rule as it was read."""
        return self.compiled.rule

    @property
    def last_step(self) -> Selection:
        """The events that complete the pattern, at once or when its wait is over."""
        return self.rule.when.steps[-1].selection


def compile_rule(rule: Rule, audiences: Audiences, expressions: ExpressionCompiler) -> LiveRule:
    """Return a rule, compiled.

    Args:
        rule: what to compile.
        audiences: what it refers to.
        expressions: compiles expressions over them; one for all rules.
    """
    return LiveRule(CompiledRule(rule, expressions), needs(rule, audiences), sending_needs(rule, audiences))


_NAMESPACE: Final = UUID("0b0e9a52-5d0a-5c55-9e6b-3f2f5c1d7a41")


def firings(
    matches: Iterable[Match],
    every_ms: int,
    fired_before: Mapping[str, Sequence[int]],
    qualifies: Callable[[Match], bool] = lambda _: True,
) -> list[Match]:
    """Returns the matches that fire: per key none closer than `every_ms` to another.

    Args:
        matches: ordered by instant.
        every_ms: milliseconds; 0 lets every instant fire.
        fired_before: per key the instants of the firings made already. A match at such an instant
            is that firing, so it is not returned again.
        qualifies: what else must be true; asked only of matches that would fire.
    """
    fired: list[Match] = []
    #: Per key the earliest instant at which it may fire again.
    free: dict[str, int] = {}
    apart_ms = max(every_ms, 1)
    for match in matches:
        key, at = match.key, match.at
        if at < free.get(key, at):
            continue
        # A match learned of late is kept apart from the firing after it, too.
        others = fired_before.get(key)
        if others and any(abs(at - other) < apart_ms for other in others):
            continue
        if qualifies(match):
            free[key] = at + apart_ms
            fired.append(match)
    return fired


def fire_id(rule: Rule, visitor_id: str, match: Match) -> str:
    """Returns the id of a firing: the same for the same rule version, visitor, key and instant."""
    parts = (rule.id, rule.version, visitor_id, match.key, match.at)
    return str(uuid5(_NAMESPACE, msgspec.json.encode(parts).decode()))


def goal_needs(goal: Step | None, span_ms: int) -> list[Needs]:
    """Return what `goal_reached` looks at in the `span_ms` milliseconds since the firing."""
    return [] if goal is None else [selection_needs(goal.selection, span_ms)]


def goal_instant(goal: Step | None, history: History, fired_at: int) -> int | None:
    """Return when the goal was first reached after the firing and within the goal's window, if it was.

    Args:
        goal: what success is; None is never reached.
        history: holds the goal's events since the firing.
        fired_at: epoch milliseconds.
    """
    if goal is None:
        return None
    times = history.select(compile_selection(goal.selection)).times
    place = bisect_right(times, fired_at)
    if place == len(times) or (goal.within is not None and times[place] > fired_at + goal.within.ms):
        return None
    return times[place]


def goal_reached(goal: Step | None, history: History, fired_at: int, now_ms: int) -> bool:
    """Tell whether an event of the goal happened after the firing, within the goal's window, and until now."""
    reached_at = goal_instant(goal, history, fired_at)
    return reached_at is not None and reached_at <= now_ms
