"""Compile a rule once per version, so that it can be asked of many visitors.

A match fires unless another firing of the same rule, person and key is closer than `every`, by its instant or by when
it could be known.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Final
from uuid import UUID, uuid5

import msgspec

from trigger_worker.rules.evaluate.expression import Explanation, ExpressionCompiler
from trigger_worker.rules.evaluate.history import History, Moment
from trigger_worker.rules.evaluate.needs import Needs, needs, selection_needs, sending_needs
from trigger_worker.rules.evaluate.pattern import Match, PatternMatcher
from trigger_worker.rules.evaluate.selector import compile_selection
from trigger_worker.rules.evaluate.tellings import order_of
from trigger_worker.rules.language.syntax import Selection
from trigger_worker.rules.model import Audiences, Rule, SendEntry

_NAMESPACE: Final = UUID("0b0e9a52-5d0a-5c55-9e6b-3f2f5c1d7a41")


class CompiledRule:
    """A rule whose pattern, conditions and needs are worked out; `compile_rule` makes one.

    Args:
        rule: the rule as it was read.
        expressions: compiles its conditions, and knows the audiences that they refer to; one for all rules shares
            the compiled audiences.

    Attributes:
        rule: the rule as it was read.
        needs: the events that `when` and `if` look at.
        sending_needs: the events that the `if` and `unless` of its messages look at.
        last_step: the events that complete the pattern, at once or when its wait is over.
        lifetime_ms: how long after a match the last of its messages may be delivered, ms.
    """

    def __init__(self, rule: Rule, expressions: ExpressionCompiler) -> None:
        self.rule = rule
        self._expressions = expressions
        self._pattern = PatternMatcher(rule.when, rule.key)
        self._condition = None if rule.condition is None else expressions.compile(rule.condition)
        self.needs: Needs = needs(rule, expressions.audiences)
        self.sending_needs: Needs = sending_needs(rule, expressions.audiences)
        self.lifetime_ms: Final = rule.ttl_ms + max((entry.after_ms for entry in rule.send), default=0)
        self.last_step: Selection = rule.when.steps[-1].selection

    def matches(self, history: History, since: int, until: int) -> list[Match]:
        """Return the matches of `when` with `since <= at <= until` (epoch ms), whatever `if` says."""
        return self._pattern.matches(history, since, until)

    def qualifies(self, history: History, at: int) -> bool:
        """Tell whether `if` is true of the visitor at an instant (epoch ms)."""
        return self._condition is None or self._condition(Moment(history, at)) is True

    def firings(
        self,
        history: History,
        since: int,
        until: int,
        fired_before: Mapping[str, Sequence[int]],
        known_before: Mapping[str, Sequence[int]] | None = None,
    ) -> list[Match]:
        """Return the matches with `since <= at <= until` that fire.

        Args:
            history: the visitor's events, as far back as the rule needs.
            since, until: epoch ms, both included.
            fired_before: per key, the instants (epoch ms) of this rule's firings for the visitor up to now, ascending.
            known_before: per key, when these could be known, epoch ms, ascending; None for at their instants.
        """
        matches = self.matches(history, since, until)
        if not matches:
            return []
        spacing = Spacing(self.rule.every_ms, fired_before, known_before)
        in_order = as_known(matches, self.lifetime_ms)
        return spacing.choose(in_order, lambda match: self.qualifies(history, match.at))

    def explain(self, history: History, at: int) -> Explanation | None:
        """Return the value of each part of `if` at an instant (epoch ms), None for a rule without `if`."""
        if self.rule.condition is None:
            return None
        return self._expressions.explain(self.rule.condition, Moment(history, at))

    def may_send(self, message: SendEntry, history: History, at: int, facts: Mapping[str, bool]) -> bool:
        """Tell whether a message's own `if` and `unless` let it be sent.

        Args:
            message: an entry of the rule's `send`.
            history: the visitor's events up to now.
            at: now, epoch ms.
            facts: what became of this firing's messages, such as `opened(email)`, and `goal_reached`.
        """
        moment = Moment(history, at, facts)
        wanted = message.condition is None or self._expressions.compile(message.condition)(moment) is True
        return wanted and (message.unless is None or self._expressions.compile(message.unless)(moment) is not True)

    def goal_needs(self, span_ms: int) -> list[Needs]:
        """Return the events that `goal_reached` looks at, `span_ms` ms back to the firing; empty without a goal."""
        return [] if self.rule.goal is None else [selection_needs(self.rule.goal.selection, span_ms)]

    def goal_instant(self, history: History, fired_at: int) -> int | None:
        """Return when (epoch ms) the goal was first reached after a firing and within the goal's window.

        Args:
            history: holds the goal's events since the firing.
            fired_at: the instant of the firing, epoch ms.
        """
        goal = self.rule.goal
        if goal is None:
            return None
        times = history.select(compile_selection(goal.selection)).times
        place = bisect_right(times, fired_at)
        if place == len(times) or (goal.within is not None and times[place] > fired_at + goal.within.ms):
            return None
        return times[place]

    def goal_reached(self, history: History, fired_at: int, now_ms: int) -> bool:
        """Tell whether the goal was reached after a firing, within the goal's window, and until now (epoch ms)."""
        reached_at = self.goal_instant(history, fired_at)
        return reached_at is not None and reached_at <= now_ms


def compile_rule(rule: Rule, audiences: Audiences) -> CompiledRule:
    """Return a rule, compiled.

    Raises:
        RuleError: the rule refers to an audience that does not exist.
    """
    return CompiledRule(rule, ExpressionCompiler(audiences))


def compile_rules(rules: Iterable[Rule], audiences: Audiences) -> list[CompiledRule]:
    """Return rules, compiled in their order; the audiences are compiled once for all of them.

    Raises:
        RuleError: a rule refers to an audience that does not exist.
    """
    expressions = ExpressionCompiler(audiences)
    return [CompiledRule(rule, expressions) for rule in rules]


class Spacing:
    """Tells which matches of a rule fire for a person: per key none closer than `every` to another firing.

    Firings are apart by their instants, and by when they could be known: whoever's events of eight days come at once is
    not to be addressed eight times.

    Args:
        every_ms: the least time between two firings of one key in ms; 0 lets every instant fire.
        fired_before: per key, the instants (epoch ms) of earlier firings, ascending.
        known_before: per key, when these could be known, epoch ms, ascending; None for at their instants.
        orders_before: the keys and orders, as `order_of` names them, for which the rule fired: an order of which
            an earlier telling comes to light is not answered again.
    """

    def __init__(
        self,
        every_ms: int,
        fired_before: Mapping[str, Sequence[int]],
        known_before: Mapping[str, Sequence[int]] | None = None,
        orders_before: Set[tuple[str, str]] = frozenset(),
    ) -> None:
        self._every_ms = every_ms
        self._before = fired_before
        self._known_before = fired_before if known_before is None else known_before
        self._orders_before = orders_before
        self._fired: dict[str, list[int]] = {}
        self._known: dict[str, list[int]] = {}

    def choose(self, matches: Iterable[Match], qualifies: Callable[[Match], bool] = lambda _: True) -> list[Match]:
        """Return the matches that fire, which count for those that follow, in this call and the next.

        Args:
            matches: ordered as `as_known` does. A match at the instant of an earlier firing is that firing, so it is
                not returned again.
            qualifies: a further condition; asked only of matches that would fire.
        """
        chosen = []
        for match in matches:
            if self._is_free(match) and qualifies(match):
                insort(self._fired.setdefault(match.key, []), match.at)
                insort(self._known.setdefault(match.key, []), match.known_at)
                chosen.append(match)
        return chosen

    def _is_free(self, match: Match) -> bool:
        if self._orders_before and (match.key, order_of(match.event)) in self._orders_before:
            return False
        key, apart_ms = match.key, max(self._every_ms, 1)
        instants = (self._fired.get(key), self._before.get(key))
        if any(others and _has_near(others, match.at, apart_ms) for others in instants):
            return False
        # Without `every` each instant fires, whenever it became known.
        known = (self._known.get(key), self._known_before.get(key)) if self._every_ms else ()
        return not any(others and _has_near(others, match.known_at, apart_ms) for others in known)


def as_known(matches: list[Match], lifetime_ms: int) -> list[Match]:
    """Return matches that are ordered by instant in the order in which they could be known.

    Of those that could be known at once, the ones whose messages would be worth nothing any more come last.

    Args:
        matches: ordered by instant.
        lifetime_ms: how long after a match its messages are worth something, ms.
    """
    if not any(match.event.late_ms for match in matches):
        return matches
    return sorted(matches, key=lambda match: (match.known_at, match.late_ms > lifetime_ms))


def _has_near(others: Sequence[int], at: int, apart_ms: int) -> bool:
    """Tell whether an ascending list has an instant closer than so much, before or after."""
    return bisect_left(others, at + apart_ms) > bisect_right(others, at - apart_ms)


def fire_id(rule: Rule, visitor_id: str, match: Match) -> str:
    """Return the id of a firing: the same for the same rule version, visitor, key and instant."""
    parts = (rule.id, rule.version, visitor_id, match.key, match.at)
    return str(uuid5(_NAMESPACE, msgspec.json.encode(parts).decode()))
