"""The windowed query: of the candidates' events, just the names, spans and fields that their rules look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from trigger_worker.evaluate.event import Event
from trigger_worker.evaluate.history import History
from trigger_worker.evaluate.needs import Needs
from trigger_worker.reading.events import Span, as_event, columns_of, listed, read_events
from trigger_worker.reading.feed import PACKAGE
from trigger_worker.reading.groups import in_groups
from trigger_worker.reading.people import Person
from warehouse.queries import Queries
from warehouse.sql import read_sql
from warehouse.vocabulary import CONTEXT_FIELDS

#: Most different wishes in one query; each is a condition that ClickHouse tests rows against.
MAX_PARTS: Final = 4


class Wanted(msgspec.Struct, frozen=True):
    """What to read of each candidate.

    Args:
        lookback_ms: by event name, or `any`, milliseconds before `since` that still matter.
        fields: top-level fields of the events; None for all of them.
        contexts: surroundings such as `device`, read as changes.
    """

    lookback_ms: Mapping[str, int]
    fields: frozenset[str] | None
    contexts: frozenset[str] = frozenset()


def combine(needs: Iterable[Needs | Wanted]) -> Wanted:
    """Return one reading that serves several rules: what they share is read once."""
    lookback_ms: dict[str, int] = {}
    fields: frozenset[str] | None = frozenset()
    contexts: frozenset[str] = frozenset()
    for need in needs:
        for name, span in need.lookback_ms.items():
            lookback_ms[name] = max(span, lookback_ms.get(name, 0))
        fields = None if fields is None or need.fields is None else fields | need.fields
        contexts |= need.contexts
    return Wanted(lookback_ms, fields, contexts)


def read_histories(
    warehouse: Queries, people: Iterable[Person], wanted: Wanted, since: int, until: int
) -> dict[Person, History]:
    """Return each person's history as far as it is wanted.

    Args:
        people: the candidates.
        wanted: which events, and which of their fields.
        since: the earliest instant that will be asked about, epoch milliseconds.
        until: the latest; later events are not read.

    Cost: the candidates' own rows in the wanted windows, found by the primary key, whatever the table holds.
    """
    return read_own_histories(warehouse, dict.fromkeys(people, wanted), since, until)


def read_own_histories(
    warehouse: Queries, wanted: Mapping[Person, Wanted], since: int, until: int
) -> dict[Person, History]:
    """Return the history of people of whom different things are wanted; otherwise like `read_histories`.

    Args:
        wanted: of each person; people of whom the same is wanted should share the same object.
    """
    histories: dict[Person, History] = {}
    by_site: dict[str, list[Person]] = defaultdict(list)
    for person in wanted:
        by_site[person.site].append(person)
    for site, residents in by_site.items():
        for group in in_groups(residents, lambda person: person.ids):
            histories |= _read_group(warehouse, site, {person: wanted[person] for person in group}, since, until)
    return histories


def surround(warehouse: Queries, histories: Mapping[Person, History], contexts: frozenset[str], until: int) -> None:
    """Add surroundings, such as `device`, to the histories of some people of one site, few enough for one query."""
    owner = {visitor_id: person for person in histories for visitor_id in person.ids}
    (site,) = {person.site for person in histories}
    found = _read_contexts(warehouse, contexts, {"site": site, "ids": list(owner), "until": until}, owner)
    for person, history in histories.items():
        history.surround(found[person.visitor_id])


def read_whole_events(
    warehouse: Queries, wanted: Iterable[tuple[Person, str]], since: int = 0
) -> dict[tuple[Person, str], Event]:
    """Return events with all of their fields, by whose they are and their ids.

    Args:
        warehouse: where they are.
        wanted: whose and which.
        since: none of them happened before, epoch milliseconds; what is older is not looked through.
    """
    columns = columns_of(None)
    sql = read_sql(PACKAGE, "whole_events").replace("/* columns */", listed(columns))
    by_site: dict[str, set[tuple[Person, str]]] = defaultdict(set)
    for person, event_id in wanted:
        by_site[person.site].add((person, event_id))
    found: dict[tuple[Person, str], Event] = {}
    for site, here in by_site.items():
        for group in in_groups(here, lambda pair: (*pair[0].ids, pair[1])):
            owner = {visitor_id: person for person, _ in group for visitor_id in person.ids}
            event_ids = [event_id for _, event_id in group]
            parameters = {"site": site, "ids": list(owner), "events": event_ids, "since": since}
            for row in warehouse.query(sql, parameters):
                event = as_event(row, columns)
                found.setdefault((owner[row[0]], event.event_id), event)
    return found


def _read_group(
    warehouse: Queries, site: str, wanted: Mapping[Person, Wanted], since: int, until: int
) -> dict[Person, History]:
    owner = {visitor_id: person for person in wanted for visitor_id in person.ids}
    scope = {"site": site, "ids": list(owner), "until": until}
    events: dict[Person, list[Event]] = {person: [] for person in wanted}
    every = combine(_different(wanted.values()))
    spans = [span for part in _parts(wanted) for span in _spans(*part, since, until)]
    if spans:
        for visitor_id, event in read_events(warehouse, scope, spans, every.fields):
            events[owner[visitor_id]].append(event)
    contexts = _read_contexts(warehouse, every.contexts, scope, owner)
    return {person: History(found, contexts[person.visitor_id]) for person, found in events.items()}


def _different(wanted: Iterable[Wanted]) -> list[Wanted]:
    return list({id(one): one for one in wanted}.values())


def _parts(wanted: Mapping[Person, Wanted]) -> list[tuple[list[str] | None, Wanted]]:
    """Return the ids of those of whom the same is wanted, with what; beyond `MAX_PARTS` they share the rest."""
    if len(_different(wanted.values())) == 1:
        return [(None, next(iter(wanted.values())))]
    people: dict[int, list[Person]] = defaultdict(list)
    for person, one in wanted.items():
        people[id(one)].append(person)
    groups = sorted(people.values(), key=len, reverse=True)
    kept, rest = groups[: MAX_PARTS - 1], [person for group in groups[MAX_PARTS - 1 :] for person in group]
    return [
        ([visitor_id for person in group for visitor_id in person.ids], combine(_different(wanted[p] for p in group)))
        for group in [*kept, rest]
        if group
    ]


def _spans(ids: Sequence[str] | None, wanted: Wanted, since: int, until: int) -> list[Span]:
    """Return one span for all the names that look equally far back."""
    names_of: dict[int, list[str]] = defaultdict(list)
    for name, lookback in sorted(wanted.lookback_ms.items()):
        names_of[lookback].append(name)
    return [Span(names, since - lookback, until, ids) for lookback, names in names_of.items()]


def _read_contexts(
    warehouse: Queries, contexts: frozenset[str], scope: Mapping[str, object], owner: Mapping[str, Person]
) -> dict[str, dict[str, list[tuple[int, str]]]]:
    """Return, by person's id and field, when the field changed and to what."""
    fields = [field for field in CONTEXT_FIELDS if field in contexts]
    found: dict[str, dict[str, list[tuple[int, str]]]] = {
        person.visitor_id: {field: [] for field in fields} for person in owner.values()
    }
    if fields:
        pairs = ", ".join(f"('{field}', toString({field}))" for field in fields)
        sql = read_sql(PACKAGE, "context_changes").replace("/* pairs */", pairs)
        persons = [person.visitor_id for person in owner.values()]
        for person, field, at, value in warehouse.query(sql, {**scope, "persons": persons}):
            found[person][field].append((at, value))
    return found
