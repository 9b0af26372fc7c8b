"""From candidates to firings: the windowed query, then the rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from trigger_worker.candidates import Candidate
from trigger_worker.evaluate.event import Event
from trigger_worker.evaluate.firing import fire_id
from trigger_worker.evaluate.pattern import Match
from trigger_worker.live_rules import LiveRule
from trigger_worker.reading.feed import Visitor
from trigger_worker.reading.groups import in_groups
from trigger_worker.reading.past import read_past_fires
from trigger_worker.reading.people import Person, find_people
from trigger_worker.reading.window import combine, read_histories, read_whole_events
from trigger_worker.records import Fire
from warehouse.connection import Warehouse


def evaluate(warehouse: Warehouse, candidates: Mapping[Visitor, Candidate], now_ms: int) -> list[tuple[LiveRule, Fire]]:
    """Return what fires, each with its rule.

    Args:
        warehouse: where events and past firings are.
        candidates: which rules to ask of whom, and since when the answer may be new.
        now_ms: the latest instant asked about.

    Cost: one windowed query for some hundred candidates and one for their past firings, then the rules in memory.
    """
    people = _by_person(find_people(warehouse, candidates), candidates)
    groups = in_groups(people, lambda person: person.ids)
    fired = [one for group in groups for one in _ask(warehouse, {person: people[person] for person in group}, now_ms)]
    return _with_whole_events(warehouse, fired)


def _ask(warehouse: Warehouse, people: Mapping[Person, Candidate], now_ms: int) -> list[_Fired]:
    """Return what fires for people who are few enough to be asked about together."""
    rules = {live for candidate in people.values() for live in candidate.rules}
    since = min(candidate.since for candidate in people.values())
    histories = read_histories(warehouse, people, combine(live.needs for live in rules), since, now_ms)
    past = read_past_fires(warehouse, people, [live.rule for live in rules], since)
    return [
        _Fired(live, person, match)
        for person, candidate in people.items()
        for live in sorted(candidate.rules, key=lambda live: live.rule.id)
        for match in live.compiled.firings(histories[person], candidate.since, now_ms, past.of(person, live.rule.id))
    ]


class _Fired(msgspec.Struct, frozen=True):
    live: LiveRule
    person: Person
    match: Match


def _with_whole_events(warehouse: Warehouse, fired: Sequence[_Fired]) -> list[tuple[LiveRule, Fire]]:
    """Give each firing the whole event that completed it: rules read only the fields they look at."""
    events = read_whole_events(warehouse, ((one.person, one.match.event.event_id) for one in fired))
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
            joined[person] = Candidate(candidate.since, set(candidate.rules))
        else:
            known.since = min(known.since, candidate.since)
            known.rules |= candidate.rules
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
