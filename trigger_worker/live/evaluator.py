"""From candidates to firings: the rules are asked of each candidate's history, and past firings forbid repetition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from trigger_worker.live.histories import CandidateGroup, KeptHistories
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.live.sweep import Sweep
from trigger_worker.rules.evaluate.compiled_rule import CompiledRule, fire_id, firings
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.history import History
from trigger_worker.rules.evaluate.pattern import Match
from trigger_worker.store.events import read_whole_events
from trigger_worker.store.fires import Fire, read_past_fires
from trigger_worker.store.people import Person
from trigger_worker.store.windows import surround
from warehouse.connection import Warehouse


class Evaluator:
    """Evaluates the rules of the candidates.

    Args:
        warehouse: the ClickHouse database with events and past firings.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._histories = KeptHistories(warehouse)

    def evaluate(self, rules: LiveRules, found: Sweep, now_ms: int) -> list[tuple[CompiledRule, Fire]]:
        """Return the firings, each with its rule.

        Args:
            rules: the live rules.
            found: what the sweep of the feed found: news, and the candidates with the rules to ask of each.
            now_ms: the latest instant asked about, epoch ms.

        Cost: for each group of some hundred candidates as `KeptHistories.read` says; for those who match, one query for
        surroundings where rules ask for them; for those who qualify, one for their past firings; and one for the whole
        events of all firings. The rules are asked in memory.
        """
        groups = self._histories.read(rules, found.news, found.people, found.candidates.by_person, now_ms)
        fired = [one for group in groups for one in self._ask(group, now_ms)]
        return _with_whole_events(self._warehouse, fired)

    def _ask(self, group: CandidateGroup, now_ms: int) -> list[_Fired]:
        matching = [
            _Matching(compiled, person, matches)
            for person, candidate in group.candidates.items()
            for compiled in sorted(candidate.rules, key=lambda compiled: compiled.rule.id)
            if (matches := compiled.matches(group.histories[person], candidate.since, now_ms))
        ]
        _surround(self._warehouse, matching, group.histories, now_ms)
        return _apart(self._warehouse, _qualifying(matching, group.histories), group.since)


def _surround(
    warehouse: Warehouse, matching: Sequence[_Matching], histories: Mapping[Person, History], now_ms: int
) -> None:
    """Read the surroundings of those whose rules ask for them."""
    instants: dict[Person, int] = {}
    contexts: frozenset[str] = frozenset()
    for one in matching:
        if one.compiled.needs.contexts:
            contexts |= one.compiled.needs.contexts
            at = one.matches[0].at
            instants[one.person] = min(at, instants.get(one.person, at))
    if instants:
        surround(warehouse, {person: histories[person] for person in instants}, contexts, instants, now_ms)


def _qualifying(matching: Iterable[_Matching], histories: Mapping[Person, History]) -> list[_Matching]:
    """Return the matches of which `if` is true."""
    left = []
    for one in matching:
        matches = [match for match in one.matches if one.compiled.qualifies(histories[one.person], match.at)]
        if matches:
            left.append(_Matching(one.compiled, one.person, matches))
    return left


def _apart(warehouse: Warehouse, qualifying: Sequence[_Matching], since: int) -> list[_Fired]:
    """Return the matches that no earlier firing forbids; most ticks have nobody to ask about."""
    if not qualifying:
        return []
    rules = {one.compiled.rule.id: one.compiled.rule for one in qualifying}
    past = read_past_fires(warehouse, {one.person for one in qualifying}, rules.values(), since)
    return [
        _Fired(one.compiled, one.person, match)
        for one in qualifying
        for match in firings(one.matches, one.compiled.rule.every_ms, past.of(one.person, one.compiled.rule.id))
    ]


class _Matching(msgspec.Struct, frozen=True):
    compiled: CompiledRule
    person: Person
    matches: list[Match]


class _Fired(msgspec.Struct, frozen=True):
    compiled: CompiledRule
    person: Person
    match: Match


def _with_whole_events(warehouse: Warehouse, fired: Sequence[_Fired]) -> list[tuple[CompiledRule, Fire]]:
    """Give each firing the whole event that completed it: rules read only the fields they look at."""
    since = min((one.match.event.ts for one in fired), default=0)
    events = read_whole_events(warehouse, ((one.person, one.match.event.event_id) for one in fired), since)
    return [
        (one.compiled, _fire(one, events.get((one.person, one.match.event.event_id), one.match.event))) for one in fired
    ]


def _fire(fired: _Fired, event: Event) -> Fire:
    rule, person, match = fired.compiled.rule, fired.person, fired.match
    return Fire(
        fire_id=fire_id(rule, person.visitor_id, match),
        site=person.site,
        rule=rule.id,
        version=rule.version,
        visitor_id=person.visitor_id,
        key=match.key,
        at=match.at,
        event={"event": event.name, "event_id": event.event_id, **event.fields},
    )
