"""Backtest: rules replayed over stored history with the clock of that history, and the figures of each rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from trigger_worker.deciding.gate.policy import Policy
from trigger_worker.replay.restraint import RestraintOutcome, messages_of, only_restraint, simulate_restraint
from trigger_worker.rules.evaluate.compiled_rule import CompiledRule
from trigger_worker.rules.evaluate.history import History
from trigger_worker.rules.evaluate.needs import Needs, selection_needs
from trigger_worker.rules.evaluate.pattern import Match
from trigger_worker.rules.language.duration import DAY_MS
from trigger_worker.store.active import Activity, Range, count_active, read_active
from trigger_worker.store.people import Person, find_people
from trigger_worker.store.windows import combine, read_histories
from warehouse.queries import Queries

#: Most rows that are held at a time, unless one person alone has more.
MAX_ROWS: Final = 50_000
_NO_HISTORY: Final = History(())
_TIMEZONE: Final = Needs({}, frozenset(), frozenset({"timezone"}))


class Firing(msgspec.Struct, frozen=True):
    """A firing of the replay.

    Args:
        at: the instant of the match, epoch ms.
        goal_reached: whether the rule's goal was reached within its window; None for a rule without a goal.
    """

    rule: str
    visitor_id: str
    key: str
    at: int
    goal_reached: bool | None


class Replayed(msgspec.Struct, frozen=True):
    """The firings of some people in the replay.

    Args:
        ids: how many of the visitor ids that `count_active` counted are done with.
        firings: person by person, the firings of each in order of time.
        restrained: for each message, whether caps or quiet hours would have stopped it.
    """

    ids: int
    firings: list[Firing]
    restrained: list[RestraintOutcome]


class _Load(msgspec.Struct):
    """The number of visitor ids that are one person, and of the rows that a replay of them reads at most."""

    ids: int = 0
    rows: int = 0

    def add(self, activity: Activity) -> None:
        self.ids += 1
        self.rows += activity.rows


class Backtest:
    """A replay of rules over a range of the history, which starts clean: no earlier firing is known.

    Args:
        queries: the ClickHouse database with the history.
        rules: the rules to replay; all of them share the caps.
        policy: its caps and quiet hours would have restrained their messages.
        span: the instants of the matches; earlier events that rules look at are read, later ones are not.
        now_ms: goals are looked for in events up to then, epoch ms.
    """

    def __init__(
        self, queries: Queries, rules: Sequence[CompiledRule], policy: Policy, span: Range, now_ms: int
    ) -> None:
        self._queries = queries
        self._rules = sorted(rules, key=lambda compiled: compiled.rule.id)
        self._needs = [compiled.needs for compiled in self._rules]
        self._policy = only_restraint(policy)
        self._span = span
        self._now_ms = now_ms

    def count(self) -> dict[str, int]:
        """Return by site how many visitor ids `run` goes through.

        Cost: as `count_active`.
        """
        return count_active(self._queries, self._needs, self._span)

    def run(self, sites: Iterable[str]) -> Iterator[Replayed]:
        """Yield the firings site by site, people in the order of the first of their ids.

        Cost: one windowed query for some ten thousand events, each read once; never more than some people's events
        are held.
        """
        for site in sites:
            # Ids of one person may lie far apart: whoever has several is remembered.
            done: set[Person] = set()
            for page in read_active(self._queries, site, self._needs, self._span):
                yield from self._page(page, done)

    def _page(self, page: Sequence[Activity], done: set[Person]) -> Iterator[Replayed]:
        people = find_people(self._queries, (activity.visitor for activity in page))
        loads: dict[Person, _Load] = {}
        passed_over = 0
        for activity in page:
            person = people[activity.visitor]
            if person in done:
                passed_over += 1
            else:
                loads.setdefault(person, _Load()).add(activity)
        done |= {person for person in loads if len(person.ids) > 1}
        yield Replayed(passed_over, [], [])
        for group in _groups(loads):
            yield self._replay(group, sum(loads[person].ids for person in group))

    def _replay(self, people: Sequence[Person], ids: int) -> Replayed:
        wanted = combine([*self._needs, *([_TIMEZONE] if self._needs_timezone() else [])])
        histories = read_histories(self._queries, people, wanted, self._span.since, self._span.until)
        fired = {person: self._fire(histories[person]) for person in people}
        goals = self._read_goals([person for person, found in fired.items() if found])
        firings: list[Firing] = []
        restrained: list[RestraintOutcome] = []
        for person, found in fired.items():
            reached = [compiled.goal_instant(goals.get(person, _NO_HISTORY), match.at) for compiled, match in found]
            replayed = list(zip(found, reached, strict=True))
            firings += [_firing(person, compiled, match, reached_at) for (compiled, match), reached_at in replayed]
            timezones = histories[person].context("timezone")
            asked = [
                message
                for (compiled, match), reached_at in replayed
                for message in messages_of(compiled.rule, match.at, reached_at, timezones)
            ]
            restrained += simulate_restraint(asked, self._policy, person, timezones)
        return Replayed(ids, firings, restrained)

    def _fire(self, history: History) -> list[tuple[CompiledRule, Match]]:
        found = [
            (compiled, match)
            for compiled in self._rules
            for match in compiled.firings(history, self._span.since, self._span.until, {})
        ]
        return sorted(found, key=lambda one: (one[1].at, one[0].rule.id, one[1].key))

    def _read_goals(self, people: Sequence[Person]) -> Mapping[Person, History]:
        """Return the events of the goals since the range began: those after its end count for them."""
        goals = [compiled.rule.goal for compiled in self._rules if compiled.rule.goal is not None]
        if not goals or not people:
            return {}
        ends = [self._now_ms if goal.within is None else self._span.until + goal.within.ms for goal in goals]
        wanted = combine(selection_needs(goal.selection, 0) for goal in goals)
        return read_histories(self._queries, people, wanted, self._span.since, min(self._now_ms, max(ends)))

    def _needs_timezone(self) -> bool:
        rules = [compiled.rule for compiled in self._rules]
        timed = any(entry.at_minute is not None for rule in rules for entry in rule.send)
        return timed or bool(self._policy.quiet) or any(rule.quiet for rule in rules)


def _firing(person: Person, compiled: CompiledRule, match: Match, reached_at: int | None) -> Firing:
    reached = None if compiled.rule.goal is None else reached_at is not None
    return Firing(compiled.rule.id, person.visitor_id, match.key, match.at, reached)


def _groups(loads: Mapping[Person, _Load]) -> Iterator[list[Person]]:
    """Split people, in their order, so that the rows of each group can be held at once."""
    group: list[Person] = []
    rows = 0
    for person, load in loads.items():
        if group and rows + load.rows > MAX_ROWS:
            yield group
            group, rows = [], 0
        group.append(person)
        rows += load.rows
    if group:
        yield group


class RuleSummary(msgspec.Struct):
    """The figures of one rule in a backtest.

    Args:
        firings: the number of its firings.
        visitors: the number of people it fired for.
        capped: the number of messages that a cap would have stopped.
        quieted: the number of messages that quiet hours would have held back.
        goals: the number of firings whose goal was reached in its window.
        has_goal: whether any firing could reach a goal.
    """

    firings: int = 0
    visitors: int = 0
    capped: int = 0
    quieted: int = 0
    goals: int = 0
    has_goal: bool = False

    def per_day(self, span: Range) -> float:
        """Return the mean number of firings a day in a range."""
        return self.firings * DAY_MS / (span.until - span.since)

    @property
    def goal_rate(self) -> float | None:
        """The share of firings whose goal was reached, from 0 to 1; None without a goal or a firing."""
        return self.goals / self.firings if self.has_goal else None


class BacktestSummary:
    """Adds up replayed firings.

    Args:
        rules: the ids of all rules that are replayed; a rule that never fires is reported as well.
    """

    def __init__(self, rules: Iterable[str]) -> None:
        self.rules = {rule: RuleSummary() for rule in sorted(rules)}

    def add(self, firings: Iterable[Firing], restrained: Iterable[RestraintOutcome]) -> None:
        """Count the firings and messages of some people; all of a person's must come in one call."""
        visitors: set[tuple[str, str]] = set()
        for firing in firings:
            found = self.rules[firing.rule]
            found.firings += 1
            found.goals += firing.goal_reached is True
            found.has_goal = found.has_goal or firing.goal_reached is not None
            visitors.add((firing.rule, firing.visitor_id))
        for rule, _ in visitors:
            self.rules[rule].visitors += 1
        for one in restrained:
            self.rules[one.rule].capped += one.capped
            self.rules[one.rule].quieted += one.quieted
