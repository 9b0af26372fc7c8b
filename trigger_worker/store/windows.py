"""The windowed query: of the candidates' events, just the names, spans and fields that their rules look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.history import History
from trigger_worker.rules.evaluate.needs import Needs
from trigger_worker.store.events import Span, as_event, columns_of, listed, read_events
from trigger_worker.store.feed import PACKAGE
from trigger_worker.store.groups import in_query_groups
from trigger_worker.store.people import Person
from warehouse.queries import Queries, read_sql
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
        wanted: which events, which of their fields, and which surroundings.
        since: the earliest instant that will be asked about, epoch milliseconds.
        until: the latest; later events are not read.

    Cost: the candidates' own rows in the wanted windows, found by the primary key, whatever the table holds.
    """
    events = read_own_events(warehouse, dict.fromkeys(people, wanted), since, until)
    histories = {person: History(found, {}) for person, found in events.items()}
    for group in _groups(histories):
        contexts = _read_contexts(warehouse, group, wanted.contexts, until)
        for person in group:
            histories[person].surround(contexts[person])
    return histories


def read_own_events(
    warehouse: Queries, wanted: Mapping[Person, Wanted], since: int, until: int
) -> dict[Person, list[Event]]:
    """Return the events of people of whom different things are wanted, in no order; otherwise like `read_histories`.

    Args:
        wanted: of each person; people of whom the same is wanted should share the same object.
    """
    events: dict[Person, list[Event]] = {person: [] for person in wanted}
    for group in _groups(wanted):
        owner = _owner(group)
        scope = {"site": group[0].site, "ids": list(owner), "until": until}
        theirs = {person: wanted[person] for person in group}
        spans = [span for part in _parts(theirs) for span in _spans(*part, since, until)]
        if spans:
            fields = combine(_different(theirs.values())).fields
            for visitor_id, event in read_events(warehouse, scope, spans, fields):
                events[owner[visitor_id]].append(event)
    return events


def surround(
    warehouse: Queries,
    histories: Mapping[Person, History],
    contexts: frozenset[str],
    instants: Mapping[Person, int],
    until: int,
) -> None:
    """Add surroundings, such as `device`, to the histories of some people of one site, few enough for one query.

    Nearly every event carries them, so those at an instant are as a rule told by the event of that instant, which is
    cheap to find; only for people of whom one is not, all that they ever did is looked through.

    Args:
        histories: whose.
        contexts: which surroundings.
        instants: the earliest that each person is asked about, epoch milliseconds.
        until: the latest of all.
    """
    found = _read_contexts(warehouse, list(histories), contexts, until, min(instants.values()))
    unknown = [
        person
        for person, changes in found.items()
        if not all(known and known[0][0] <= instants[person] for known in changes.values())
    ]
    if unknown:
        found |= _read_contexts(warehouse, unknown, contexts, until)
    for person, history in histories.items():
        history.surround(found[person])


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
        for group in in_query_groups(here, lambda pair: (*pair[0].ids, pair[1])):
            owner = {visitor_id: person for person, _ in group for visitor_id in person.ids}
            event_ids = [event_id for _, event_id in group]
            parameters = {"site": site, "ids": list(owner), "events": event_ids, "since": since}
            for row in warehouse.query(sql, parameters):
                event = as_event(row, columns)
                found.setdefault((owner[row[0]], event.event_id), event)
    return found


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
    warehouse: Queries, people: Sequence[Person], contexts: frozenset[str], until: int, since: int = 0
) -> dict[Person, dict[str, list[tuple[int, str]]]]:
    """Return, by person and field, when the field changed from `since` on, and to what."""
    fields = [field for field in CONTEXT_FIELDS if field in contexts]
    found: dict[Person, dict[str, list[tuple[int, str]]]] = {
        person: {field: [] for field in fields} for person in people
    }
    if fields:
        owner = _owner(people)
        pairs = ", ".join(f"('{field}', toString({field}))" for field in fields)
        sql = read_sql(PACKAGE, "context_changes").replace("/* pairs */", pairs)
        parameters = {
            "site": people[0].site,
            "ids": list(owner),
            "persons": [person.visitor_id for person in owner.values()],
            "since": since,
            "until": until,
        }
        for visitor_id, field, at, value in warehouse.query(sql, parameters):
            found[owner[visitor_id]][field].append((at, value))
    return found


def _groups(people: Iterable[Person]) -> Iterator[list[Person]]:
    """Yield people of one site, few enough for one query."""
    by_site: dict[str, list[Person]] = defaultdict(list)
    for person in people:
        by_site[person.site].append(person)
    for residents in by_site.values():
        yield from in_query_groups(residents, lambda person: person.ids)


def _owner(people: Iterable[Person]) -> dict[str, Person]:
    return {visitor_id: person for person in people for visitor_id in person.ids}
