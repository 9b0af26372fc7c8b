"""From candidates to firings: identities, the events that may complete a rule, histories, rules, past firings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from trigger_worker.candidates import Candidate
from trigger_worker.evaluate.event import Event
from trigger_worker.evaluate.firing import fire_id, firings
from trigger_worker.evaluate.history import History
from trigger_worker.evaluate.pattern import Match
from trigger_worker.live_rule import LiveRule
from trigger_worker.live_rules import LiveRules
from trigger_worker.reading.feed import Visitor
from trigger_worker.reading.groups import in_groups
from trigger_worker.reading.past import read_past_fires
from trigger_worker.reading.people import Person, find_people
from trigger_worker.reading.window import read_own_histories, read_whole_events, surround
from trigger_worker.records import Fire
from trigger_worker.sift import sift
from warehouse.connection import Warehouse


def evaluate(
    warehouse: Warehouse, rules: LiveRules, candidates: Mapping[Visitor, Candidate], now_ms: int
) -> list[tuple[LiveRule, Fire]]:
    """Return what fires, each with its rule.

    Args:
        warehouse: where events and past firings are.
        rules: the live ones.
        candidates: which of them to ask of whom, and since when the answer may be new.
        now_ms: the latest instant asked about.

    Cost: for some hundred candidates one query for the events that may complete a rule; for those whom one completes,
    the windowed query; for those who qualify, one for their past firings. The rules are asked in memory.
    """
    people = _by_person(find_people(warehouse, candidates), candidates)
    fired: list[_Fired] = []
    for group in _groups(people):
        left = sift(warehouse, rules.completions, group, now_ms)
        if left:
            fired += _ask(warehouse, rules, left, now_ms)
    return _with_whole_events(warehouse, fired)


def _groups(people: Mapping[Person, Candidate]) -> Iterator[dict[Person, Candidate]]:
    """Yield candidates of one site, few enough to be asked about together."""
    by_site: dict[str, list[Person]] = defaultdict(list)
    for person in people:
        by_site[person.site].append(person)
    for residents in by_site.values():
        for group in in_groups(residents, lambda person: person.ids):
            yield {person: people[person] for person in group}


def _ask(warehouse: Warehouse, rules: LiveRules, people: Mapping[Person, Candidate], now_ms: int) -> list[_Fired]:
    """Return what fires for people who are few enough to be asked about together."""
    since = min(candidate.since for candidate in people.values())
    wanted = {person: rules.shared_needs.wanted(candidate.rules) for person, candidate in people.items()}
    histories = read_own_histories(warehouse, wanted, since, now_ms)
    matching = [
        _Matching(live, person, matches)
        for person, candidate in people.items()
        for live in sorted(candidate.rules, key=lambda live: live.rule.id)
        if (matches := live.compiled.matches(histories[person], candidate.since, now_ms))
    ]
    _surround(warehouse, matching, histories, now_ms)
    return _apart(warehouse, _qualifying(matching, histories), since)


def _surround(
    warehouse: Warehouse, matching: Sequence[_Matching], histories: Mapping[Person, History], now_ms: int
) -> None:
    """Read the surroundings of those whose rules ask for them: the whole history goes into that, so of few people."""
    asking = [one for one in matching if one.live.needs.contexts]
    if asking:
        contexts = frozenset[str]().union(*(one.live.needs.contexts for one in asking))
        surround(warehouse, {one.person: histories[one.person] for one in asking}, contexts, now_ms)


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


def _by_person(people: Mapping[Visitor, Person], candidates: Mapping[Visitor, Candidate]) -> dict[Person, Candidate]:
    """Join the candidates that are one person."""
    joined: dict[Person, Candidate] = {}
    for visitor, candidate in candidates.items():
        person = people[visitor]
        known = joined.get(person)
        if known is None:
            joined[person] = Candidate(candidate.since, candidate.rules)
        else:
            known.join(candidate.since, candidate.rules)
    return joined


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
