"""The windowed query: of the candidates' events, just the names, spans and fields that their rules look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from trigger_worker.evaluate.event import Event
from trigger_worker.evaluate.history import History
from trigger_worker.evaluate.needs import Needs
from trigger_worker.reading.feed import PACKAGE
from trigger_worker.reading.groups import in_groups
from trigger_worker.reading.people import Person
from warehouse.connection import Row, Warehouse
from warehouse.sql import read_sql
from warehouse.vocabulary import COLUMN_FIELDS, CONTEXT_FIELDS, MESSAGE_EVENTS

ANY: Final = "any"


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


def combine(needs: Iterable[Needs]) -> Wanted:
    """Return one reading that serves several rules: what they share is read once."""
    lookback_ms: dict[str, int] = {}
    fields: frozenset[str] = frozenset()
    contexts: frozenset[str] = frozenset()
    for need in needs:
        for name, span in need.lookback_ms.items():
            lookback_ms[name] = max(span, lookback_ms.get(name, 0))
        fields |= need.fields
        contexts |= need.contexts
    return Wanted(lookback_ms, fields, contexts)


def read_histories(
    warehouse: Warehouse, people: Iterable[Person], wanted: Wanted, since: int, until: int
) -> dict[Person, History]:
    """Return each person's history as far as it is wanted.

    Args:
        people: the candidates.
        wanted: which events, and which of their fields.
        since: the earliest instant that will be asked about, epoch milliseconds.
        until: the latest; later events are not read.

    Cost: the candidates' own rows in the wanted windows, found by the primary key, whatever the table holds.
    """
    histories: dict[Person, History] = {}
    by_site: dict[str, list[Person]] = defaultdict(list)
    for person in people:
        by_site[person.site].append(person)
    for site, residents in by_site.items():
        for group in in_groups(residents, lambda person: person.ids):
            histories |= _read_group(warehouse, site, group, wanted, since, until)
    return histories


def read_whole_events(warehouse: Warehouse, wanted: Iterable[tuple[Person, str]]) -> dict[tuple[Person, str], Event]:
    """Return events with all of their fields, by whose they are and their ids."""
    columns = _columns(None)
    sql = read_sql(PACKAGE, "whole_events").replace("/* columns */", _listed(columns))
    by_site: dict[str, set[tuple[Person, str]]] = defaultdict(set)
    for person, event_id in wanted:
        by_site[person.site].add((person, event_id))
    found: dict[tuple[Person, str], Event] = {}
    for site, here in by_site.items():
        for group in in_groups(here, lambda pair: (*pair[0].ids, pair[1])):
            owner = {visitor_id: person for person, _ in group for visitor_id in person.ids}
            parameters = {"site": site, "ids": list(owner), "events": [event_id for _, event_id in group]}
            for row in warehouse.query(sql, parameters):
                event = _event(row, columns)
                found.setdefault((owner[row[0]], event.event_id), event)
    return found


def _read_group(
    warehouse: Warehouse, site: str, people: Sequence[Person], wanted: Wanted, since: int, until: int
) -> dict[Person, History]:
    owner = {visitor_id: person for person in people for visitor_id in person.ids}
    scope = {"site": site, "ids": list(owner), "until": until}
    events: dict[Person, list[Event]] = {person: [] for person in people}
    if wanted.lookback_ms:
        columns = _columns(wanted.fields)
        sql, spans = _statement(wanted.lookback_ms, columns, since)
        for row in warehouse.query(sql, {**scope, **spans}):
            events[owner[row[0]]].append(_event(row, columns))
    contexts = _read_contexts(warehouse, wanted.contexts, scope, owner)
    return {person: History(found, contexts[person.visitor_id]) for person, found in events.items()}


def _columns(fields: frozenset[str] | None) -> list[str]:
    """Return the columns to read, `props` last when some field has no column of its own."""
    if fields is None:
        return [*COLUMN_FIELDS, "props"]
    columns = sorted(fields & COLUMN_FIELDS.keys())
    return columns if fields <= COLUMN_FIELDS.keys() else [*columns, "props"]


def _listed(columns: Sequence[str]) -> str:
    return "".join(f", {column}" for column in columns)


def _statement(lookback_ms: Mapping[str, int], columns: Sequence[str], since: int) -> tuple[str, dict[str, object]]:
    """Return the query and its parameters: one condition for each span, with all the names that share it."""
    names_of: dict[int, list[str]] = defaultdict(list)
    for name, span in sorted(lookback_ms.items()):
        names_of[span].append(name)
    conditions: list[str] = []
    parameters: dict[str, object] = {"excluded": sorted(MESSAGE_EVENTS)}
    for index, (span, names) in enumerate(names_of.items()):
        matching = f"event IN {{names_{index}:Array(String)}}"
        if ANY in names:
            matching = f"({matching} OR event NOT IN {{excluded:Array(String)}})"
        conditions.append(f"{matching} AND ts >= fromUnixTimestamp64Milli({{from_{index}:Int64}}, 'UTC')")
        parameters |= {f"names_{index}": names, f"from_{index}": max(0, since - span)}
    sql = read_sql(PACKAGE, "visitor_events")
    sql = sql.replace("/* columns */", _listed(columns))
    return sql.replace("/* windows */", " OR ".join(f"({condition})" for condition in conditions)), parameters


def _event(row: Row, columns: Sequence[str]) -> Event:
    _, name, ts, event_id, *values = row
    fields: dict[str, Any] = {
        column: value for column, value in zip(columns, values, strict=True) if value not in ("", None)
    }
    props = fields.pop("props", None)
    if props:
        fields = {**msgspec.json.decode(props), **fields}
    return Event(name, ts, event_id, fields)


def _read_contexts(
    warehouse: Warehouse, contexts: frozenset[str], scope: Mapping[str, object], owner: Mapping[str, Person]
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
