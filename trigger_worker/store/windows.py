"""Read histories by the windowed query: of each person just the names, times and fields that the rules look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from trigger_worker.rules.evaluate.event import LATE_MS, Event
from trigger_worker.rules.evaluate.history import History
from trigger_worker.rules.evaluate.needs import Needs
from trigger_worker.rules.language.duration import LONGEST_WINDOW_MS
from trigger_worker.rules.language.syntax import ANY
from trigger_worker.store.events import Span, as_event, columns_of, listed, may_be_in_props, read_events
from trigger_worker.store.people import Person
from trigger_worker.store.people_queries import for_people, people_groups
from trigger_worker.store.statements import statement
from warehouse.queries import Queries
from warehouse.vocabulary import COLUMN_FIELDS, CONTEXT_FIELDS, MESSAGE_EVENTS, MONEY_FIELDS, ORDER_EVENTS

#: Most different needs in one query; each is a condition that ClickHouse tests rows against.
MAX_PARTS: Final = 4

#: Texts that many events have, such as names of products and paths, are in memory once: so many, so long at most.
MAX_SHARED: Final = 50_000
MAX_SHARED_LENGTH: Final = 100

#: By context field, such as `device`, the instants (epoch ms) at which it changed, and to what.
Contexts = Mapping[str, list[tuple[int, str]]]


class Wanted(msgspec.Struct, frozen=True):
    """The part of a person's history that rules look at.

    Args:
        lookback_ms: by event name, or `any`, how long before the instant asked about an event still matters, ms.
        fields: top-level fields of the events; None for all of them.
        contexts: context fields such as `device`, read as changes.
    """

    lookback_ms: Mapping[str, int]
    fields: frozenset[str] | None
    contexts: frozenset[str] = frozenset()

    def takes(self, name: str) -> bool:
        """Tell whether events of a name are wanted."""
        return name in self.lookback_ms or (ANY in self.lookback_ms and name not in MESSAGE_EVENTS)

    def reaches(self, name: str, at: int, since: int) -> bool:
        """Tell whether an event of a name and instant is wanted where `since` is asked about or later, all epoch ms."""
        span = self.lookback_ms.get(name, -1)
        if ANY in self.lookback_ms and name not in MESSAGE_EVENTS:
            span = max(span, self.lookback_ms[ANY])
        return span >= 0 and at >= since - span

    def cut(self, event: Event) -> Event:
        """Return an event with the wanted fields alone: as it would be read."""
        columns = self.fields
        if columns is None:
            return event
        has_props, own = may_be_in_props(columns), event.hidden or ()
        fields = {
            name: _shared(value) if type(value) is str and len(value) <= MAX_SHARED_LENGTH else value
            for name, value in event.fields.items()
            if (name in columns if name in COLUMN_FIELDS and name not in own else has_props)
        }
        return Event(_shared(event.name), event.ts, event.event_id, fields, event.late_ms, event.hidden)

    def covers(self, other: Wanted) -> bool:
        """Tell whether all that another part holds is in this one."""
        fields = self.fields is None or (other.fields is not None and other.fields <= self.fields)
        spans = all(self.lookback_ms.get(name, -1) >= span for name, span in other.lookback_ms.items())
        return fields and spans and other.contexts <= self.contexts


@lru_cache(maxsize=MAX_SHARED)
def _shared(text: str) -> str:
    """Return a text: the one that an earlier event had."""
    return text


def combine(needs: Iterable[Needs | Wanted]) -> Wanted:
    """Return the part of a history that serves several rules, so that their shared events are read once.

    Orders are read as far back as anything is, whatever the rules look at: one that is told again is known by the
    telling before.
    """
    lookback_ms: dict[str, int] = {}
    fields: frozenset[str] | None = frozenset()
    contexts: frozenset[str] = frozenset()
    for need in needs:
        for name, span in need.lookback_ms.items():
            lookback_ms[name] = max(span, lookback_ms.get(name, 0))
        fields = None if fields is None or need.fields is None else fields | need.fields
        contexts |= need.contexts
    orders = ORDER_EVENTS if ANY in lookback_ms else ORDER_EVENTS & lookback_ms.keys()
    if orders:
        lookback_ms |= dict.fromkeys(orders, LONGEST_WINDOW_MS)
        fields = None if fields is None else fields | {"order_id"}
    if fields is not None and not MONEY_FIELDS.isdisjoint(fields):
        fields |= {"foreign_currency"}
    return Wanted(lookback_ms, fields, contexts)


def read_histories(
    queries: Queries, people: Iterable[Person], wanted: Wanted, since: int, until: int
) -> dict[Person, History]:
    """Return each person's history, as far as it is wanted.

    Args:
        queries: the ClickHouse database with the events.
        people: the persons.
        wanted: the names, fields and contexts to read.
        since: the earliest instant that will be asked about, epoch ms.
        until: the latest, epoch ms; later events are not read.

    Cost: for each group of some hundred people one query for events and, where contexts are wanted, one for those;
    each reads the people's own rows in the wanted windows, found by the key, whatever the table holds.
    """
    events = read_own_events(queries, dict.fromkeys(people, wanted), since, until)
    histories = {person: History(found, {}) for person, found in events.items()}
    for person, contexts in _read_contexts(queries, histories, wanted.contexts, until).items():
        histories[person].surround(contexts)
    return histories


def read_own_events(
    queries: Queries, wanted: Mapping[Person, Wanted], since: int, until: int
) -> dict[Person, list[Event]]:
    """Return the events of people of whom different parts are wanted, in no order.

    Args:
        queries: the ClickHouse database with the events.
        wanted: by person, the part of the history; people of whom the same is wanted should share the same object.
        since, until: the earliest and the latest instant that will be asked about, epoch ms.

    Cost: one query for each group of some hundred people, bounded as in `read_histories`.
    """
    events: dict[Person, list[Event]] = {person: [] for person in wanted}
    for group in people_groups(wanted):
        theirs = {person: wanted[person] for person in group.people}
        spans = [span for part in _parts(theirs) for span in _spans(*part, since, until)]
        if spans:
            fields = combine(_different(theirs.values())).fields
            for person, event in read_events(queries, group, spans, fields):
                events[person].append(event)
    return events


class PersonEvents(msgspec.Struct):
    """The wanted events of a person, in no order, and what all events tell of the person's surroundings."""

    events: list[Event]
    told: dict[str, list[tuple[int, str, str]]]


def read_person_events(
    queries: Queries, people: Iterable[Person], wanted: Wanted, since: int, until: int
) -> dict[Person, PersonEvents]:
    """Return the wanted events and the surroundings of people, from one reading of their rows.

    Args:
        queries: the ClickHouse database with the events.
        people: the persons.
        wanted: the names, fields and contexts to read.
        since, until: the earliest and the latest instant that will be asked about, epoch ms.

    Cost: one query for each group of some hundred people, over their own rows, found by the key.
    """
    contexts = sorted(wanted.contexts)
    fields = columns_of(wanted.fields)
    columns = [*dict.fromkeys([*contexts, *fields])]
    sql = statement("person_events", columns=listed(columns))
    found = {person: PersonEvents([], {field: [] for field in contexts}) for person in people}
    for person, row in for_people(queries, found, sql, {"until": until, "late": LATE_MS}):
        name, at, event_id, late_ms, *values = row
        theirs, by_column = found[person], dict(zip(columns, values, strict=True))
        for field in contexts:
            if by_column[field]:
                theirs.told[field].append((at, by_column[field], event_id))
        if wanted.reaches(name, at, since):
            kept = [by_column[field] for field in fields]
            theirs.events.append(as_event((name, at, event_id, late_ms, *kept), fields))
    for theirs in found.values():
        theirs.told = {field: _changes(told) for field, told in theirs.told.items()}
    return found


def _changes(told: list[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """Return what events tell of a field, in order and without repetitions, but for the latest."""
    told.sort(key=lambda one: (one[0], one[2]))
    changes = [one for before, one in zip([None, *told], told, strict=False) if before is None or before[1] != one[1]]
    return changes if not told or changes[-1] is told[-1] else [*changes, told[-1]]


def _read_contexts(
    queries: Queries, people: Iterable[Person], contexts: frozenset[str], until: int
) -> dict[Person, Contexts]:
    """Return, by person, the changes of context fields until an instant (epoch ms).

    Cost: nothing without fields; else one query for each group of some hundred people, over their own rows.
    """
    fields = [field for field in CONTEXT_FIELDS if field in contexts]
    found: dict[Person, Contexts] = {person: {field: [] for field in fields} for person in people}
    if fields:
        pairs = ", ".join(f"('{field}', toString({field}))" for field in fields)
        sql = statement("context_changes", pairs=pairs)
        for person, (field, at, value) in for_people(queries, found, sql, {"until": until}):
            found[person][field].append((at, value))
    return found


def _different(wanted: Iterable[Wanted]) -> list[Wanted]:
    return list({id(one): one for one in wanted}.values())


def _parts(wanted: Mapping[Person, Wanted]) -> list[tuple[list[str] | None, Wanted]]:
    """Return each wanted part with the ids of its people, None for all; beyond `MAX_PARTS` the rest share one."""
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
    """Return one span for all event names with the same lookback."""
    names_of: dict[int, list[str]] = defaultdict(list)
    for name, lookback in sorted(wanted.lookback_ms.items()):
        names_of[lookback].append(name)
    return [Span(names, since - lookback, until, ids) for lookback, names in names_of.items()]
