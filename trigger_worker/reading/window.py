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
from trigger_worker.reading.people import Person
from warehouse.connection import Row, Warehouse
from warehouse.sql import read_sql
from warehouse.vocabulary import COLUMN_FIELDS, CONTEXT_FIELDS, MESSAGE_EVENTS

#: Most visitors in one query, so that its parameters stay small.
MAX_PEOPLE: Final = 500
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
        for start in range(0, len(residents), MAX_PEOPLE):
            group = residents[start : start + MAX_PEOPLE]
            histories |= _read_group(warehouse, site, group, wanted, since, until)
    return histories


def read_whole_events(
    warehouse: Warehouse, site: str, people: Iterable[Person], event_ids: Iterable[str]
) -> dict[str, Event]:
    """Return events with all of their fields, by id; `people` says whose they are."""
    columns = _columns(None)
    sql = read_sql(PACKAGE, "whole_events").replace("/* columns */", _listed(columns))
    ids = sorted({visitor_id for person in people for visitor_id in person.ids})
    rows = warehouse.query(sql, {"site": site, "ids": ids, "events": sorted(set(event_ids))})
    return {event.event_id: event for event in (_event(row, columns) for row in rows)}


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
    contexts = {field: _changes(warehouse, field, scope, owner) for field in sorted(wanted.contexts)}
    return {
        person: History(found, {field: changes[person] for field, changes in contexts.items()})
        for person, found in events.items()
    }


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


def _changes(
    warehouse: Warehouse, field: str, scope: Mapping[str, object], owner: Mapping[str, Person]
) -> dict[Person, list[tuple[int, str]]]:
    if field not in CONTEXT_FIELDS:
        raise ValueError(f"{field} is no context field")
    found: dict[Person, list[tuple[int, str]]] = {person: [] for person in owner.values()}
    sql = read_sql(PACKAGE, "context_changes").replace("/* column */", field)
    for visitor_id, at, _, value in warehouse.query(sql, scope):
        found[owner[visitor_id]].append((at, value))
    return found
