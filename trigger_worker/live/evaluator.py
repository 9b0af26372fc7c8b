"""From candidates to firings: identities, the events that may complete a rule, histories, rules, past firings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from trigger_worker.live.candidates import Candidate, keep_completable
from trigger_worker.live.histories import KeptHistories
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.live.sweep import Sweep
from trigger_worker.rules.evaluate.compiled_rule import LiveRule, fire_id, firings
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.history import History
from trigger_worker.rules.evaluate.pattern import Match
from trigger_worker.store.events import Span, read_events
from trigger_worker.store.groups import in_query_groups
from trigger_worker.store.past_fires import read_past_fires
from trigger_worker.store.people import Person
from trigger_worker.store.records import Fire
from trigger_worker.store.windows import Wanted, read_whole_events, surround
from warehouse.connection import Warehouse
from warehouse.queries import Queries

#: Candidates who are asked about something longer ago are asked apart from the others.
SAME_TIME_MS: Final = 10_000


class Evaluator:
    """Asks the rules of the candidates.

    Args:
        warehouse: where events and past firings are.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._histories = KeptHistories(warehouse)

    def evaluate(self, rules: LiveRules, reading: Sweep, now_ms: int) -> list[tuple[LiveRule, Fire]]:
        """Return what fires, each with its rule.

        Args:
            rules: the live ones.
            reading: what is new, and which rules to ask of whom, and since when the answer may be new.
            now_ms: the latest instant asked about.

        Cost: for some hundred candidates one query for what is new about them; one for the histories of those whom it
        completes a rule for, as far as they are not kept; for those who qualify, one for their past firings and one
        for the whole events. The rules are asked in memory.
        """
        self._histories.note(rules, reading.news, reading.people)
        fired: list[_Fired] = []
        for group in _groups(reading.candidates.by_person, now_ms):
            fired += self._ask(rules, group, now_ms)
        return _with_whole_events(self._warehouse, fired)

    def _ask(self, rules: LiveRules, people: Mapping[Person, Candidate], now_ms: int) -> list[_Fired]:
        """Return what fires for people who are few enough to be asked about together."""
        since = min(candidate.since for candidate in people.values())
        unread_since = min(since, self._histories.unread_since(people, now_ms))
        fresh = read_fresh(self._warehouse, people, rules.looked_at, unread_since, now_ms)
        self._histories.add(fresh, now_ms)
        left = keep_completable(rules.completions, people, fresh, now_ms)
        if not left:
            return []
        histories = self._histories.read(left, now_ms)
        matching = [
            _Matching(live, person, matches)
            for person, candidate in left.items()
            for live in sorted(candidate.rules, key=lambda live: live.rule.id)
            if (matches := live.compiled.matches(histories[person], candidate.since, now_ms))
        ]
        _surround(self._warehouse, matching, histories, now_ms)
        return _apart(self._warehouse, _qualifying(matching, histories), since)


def _groups(people: Mapping[Person, Candidate], now_ms: int) -> Iterator[dict[Person, Candidate]]:
    """Yield candidates of one site, few enough to be asked about together.

    Those who are asked about the past are apart: a query goes as far back as the earliest instant of anybody in it.
    """
    alike: dict[tuple[str, bool], list[Person]] = defaultdict(list)
    for person, candidate in people.items():
        alike[person.site, candidate.since < now_ms - SAME_TIME_MS].append(person)
    for residents in alike.values():
        for group in in_query_groups(residents, lambda person: person.ids):
            yield {person: people[person] for person in group}


def _surround(
    warehouse: Warehouse, matching: Sequence[_Matching], histories: Mapping[Person, History], now_ms: int
) -> None:
    """Read the surroundings of those whose rules ask for them."""
    instants: dict[Person, int] = {}
    contexts: frozenset[str] = frozenset()
    for one in matching:
        if one.live.needs.contexts:
            contexts |= one.live.needs.contexts
            at = one.matches[0].at
            instants[one.person] = min(at, instants.get(one.person, at))
    if instants:
        surround(warehouse, {person: histories[person] for person in instants}, contexts, instants, now_ms)


def _qualifying(matching: Iterable[_Matching], histories: Mapping[Person, History]) -> list[_Matching]:
    """Return the matches of which `if` is true."""
    left = []
    for one in matching:
        matches = [match for match in one.matches if one.live.compiled.qualifies(histories[one.person], match.at)]
        if matches:
            left.append(_Matching(one.live, one.person, matches))
    return left


def _apart(warehouse: Warehouse, qualifying: Sequence[_Matching], since: int) -> list[_Fired]:
    """Return the matches that no earlier firing forbids; most ticks have nobody to ask about."""
    if not qualifying:
        return []
    rules = {one.live.rule.id: one.live.rule for one in qualifying}
    past = read_past_fires(warehouse, {one.person for one in qualifying}, rules.values(), since)
    return [
        _Fired(one.live, one.person, match)
        for one in qualifying
        for match in firings(one.matches, one.live.rule.every_ms, past.of(one.person, one.live.rule.id))
    ]


class _Matching(msgspec.Struct, frozen=True):
    live: LiveRule
    person: Person
    matches: list[Match]


class _Fired(msgspec.Struct, frozen=True):
    live: LiveRule
    person: Person
    match: Match


def _with_whole_events(warehouse: Warehouse, fired: Sequence[_Fired]) -> list[tuple[LiveRule, Fire]]:
    """Give each firing the whole event that completed it: rules read only the fields they look at."""
    since = min((one.match.event.ts for one in fired), default=0)
    events = read_whole_events(warehouse, ((one.person, one.match.event.event_id) for one in fired), since)
    return [
        (one.live, _fire(one, events.get((one.person, one.match.event.event_id), one.match.event))) for one in fired
    ]


def _fire(fired: _Fired, event: Event) -> Fire:
    rule, person, match = fired.live.rule, fired.person, fired.match
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


def read_fresh(
    warehouse: Queries, people: Mapping[Person, Candidate], looked_at: Wanted, since: int, until: int
) -> dict[Person, list[Event]]:
    """Return each person's events from `since` on, and earlier ones that start a wait which is over now.

    Args:
        warehouse: where they are.
        people: of one site, few enough for one query, with what is asked of them.
        looked_at: the names and fields of all rules.
        since, until: epoch milliseconds, both included.

    Cost: rows as new as that; parts of the table with nothing as new are opened only for those whose wait is over.
    """
    found: dict[Person, list[Event]] = {person: [] for person in people}
    owner = {visitor_id: person for person in found for visitor_id in person.ids}
    (site,) = {person.site for person in found}
    spans = [Span(sorted(looked_at.lookback_ms), since, until), *_waits(people, until)]
    for visitor_id, event in read_events(
        warehouse, {"site": site, "ids": list(owner), "until": until}, spans, looked_at.fields
    ):
        found[owner[visitor_id]].append(event)
    return found


def _waits(people: Mapping[Person, Candidate], until: int) -> list[Span]:
    """Return, for each wait, when what starts it happened, of those who are asked about it alone."""
    since: dict[int, int] = {}
    names: dict[int, set[str]] = defaultdict(set)
    ids: dict[int, set[str]] = defaultdict(set)
    for person, candidate in people.items():
        for live in candidate.rules:
            wait_ms = live.needs.wait_ms
            if wait_ms:
                since[wait_ms] = min(candidate.since, since.get(wait_ms, candidate.since))
                names[wait_ms] |= live.needs.trigger_names
                ids[wait_ms].update(person.ids)
    return [
        Span(sorted(names[wait_ms]), since[wait_ms] - wait_ms, until - wait_ms, sorted(ids[wait_ms]))
        for wait_ms in sorted(since)
    ]
