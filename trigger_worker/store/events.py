"""Read rows of `events` as the rules' events: of some people, by name and time, or single events as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from trigger_worker.rules.evaluate.event import LATE_MS, Event, joined_fields
from trigger_worker.rules.language.syntax import ANY
from trigger_worker.store.people import Person
from trigger_worker.store.people_queries import PeopleGroup, item_groups
from trigger_worker.store.statements import by_id, statement
from warehouse.queries import Queries
from warehouse.vocabulary import COLUMN_FIELDS, CONTEXT_COLUMNS, MESSAGE_EVENTS


class Span(msgspec.Struct, frozen=True):
    """The events of some names within a time.

    Args:
        names: event names, `any` possible.
        since, until: epoch ms, both included.
        ids: only events of these visitors; None for all of the visitors that are read.
    """

    names: Sequence[str]
    since: int
    until: int
    ids: Sequence[str] | None = None


def spans_condition(spans: Iterable[Span]) -> tuple[str, dict[str, object]]:
    """Return the SQL condition that is true for an event of any of the spans, with the parameters that it binds."""
    conditions: list[str] = []
    parameters: dict[str, object] = {"excluded": sorted(MESSAGE_EVENTS)}
    for index, span in enumerate(spans):
        matching = f"event IN {{names_{index}:Array(String)}}"
        if ANY in span.names:
            matching = f"({matching} OR event NOT IN {{excluded:Array(String)}})"
        if span.ids is not None:
            matching += f" AND visitor_id IN {{ids_{index}:Array(String)}}"
            parameters[f"ids_{index}"] = list(span.ids)
        conditions.append(
            f"({matching} AND ts >= fromUnixTimestamp64Milli({{from_{index}:Int64}}, 'UTC')"
            f" AND ts <= fromUnixTimestamp64Milli({{to_{index}:Int64}}, 'UTC'))"
        )
        parameters |= {
            f"names_{index}": list(span.names),
            f"from_{index}": max(0, span.since),
            f"to_{index}": max(0, span.until),
        }
    return " OR ".join(conditions), parameters


def read_events(
    queries: Queries, group: PeopleGroup, spans: Sequence[Span], fields: frozenset[str] | None
) -> Iterator[tuple[Person, Event]]:
    """Yield the events of some people, each with its person, in no order.

    Args:
        queries: the ClickHouse database with the events.
        group: the people.
        spans: which of their events, at least one span.
        fields: the top-level fields to read; None for all of them.

    Cost: one query, which reads the people's own rows, found by the key, in the months of the spans.
    """
    columns = columns_of(fields)
    condition, parameters = spans_condition(spans)
    sql = statement("visitor_events", columns=listed(columns), windows=condition)
    until = max(span.until for span in spans)
    for person, row in group.ask(queries, sql, {**parameters, "until": until, "late": LATE_MS}):
        yield person, as_event(row, columns)


def read_whole_events(
    queries: Queries, wanted: Iterable[tuple[Person, str]], since: int = 0
) -> dict[tuple[Person, str], Event]:
    """Return events with all of their fields, by person and event id; an event that is not found is left out.

    Args:
        queries: the ClickHouse database with the events.
        wanted: the person and the id of each event.
        since: none of the events happened before, epoch ms; older rows are not read.

    Cost: one query for each group of some hundred events of a site, which reads their people's rows from `since` on.
    """
    columns = columns_of(None)
    sql = statement("whole_events", columns=listed(columns))
    found: dict[tuple[Person, str], Event] = {}
    for group, event_ids in item_groups(dict.fromkeys(wanted), by_id):
        for person, row in group.ask(queries, sql, {"events": event_ids, "since": since, "late": LATE_MS}):
            event = as_event(row, columns)
            found.setdefault((person, event.event_id), event)
    return found


def columns_of(fields: frozenset[str] | None) -> list[str]:
    """Return the columns to read, `props` last when it may have some field."""
    if fields is None:
        return [*COLUMN_FIELDS, "props"]
    columns = sorted(fields & COLUMN_FIELDS.keys())
    return [*columns, "props"] if may_be_in_props(fields) else columns


def may_be_in_props(fields: frozenset[str]) -> bool:
    """Tell whether some field has no column of its own, or one that a property of the event hides."""
    return not fields <= _ONLY_COLUMNS


_ONLY_COLUMNS: Final = COLUMN_FIELDS.keys() - CONTEXT_COLUMNS


def listed(columns: Sequence[str]) -> str:
    """Return columns as they follow others in a statement."""
    return "".join(f", {column}" for column in columns)


def as_event(row: Sequence[Any], columns: Sequence[str]) -> Event:
    """Return the event of a row: name, epoch ms, id and `late_ms`, then the columns."""
    name, ts, event_id, late_ms, *values = row
    fields: dict[str, Any] = {
        column: value for column, value in zip(columns, values, strict=True) if value not in ("", None)
    }
    props = fields.pop("props", None)
    if not props:
        return Event(name, ts, event_id, fields, late_ms)
    joined, hidden = joined_fields(msgspec.json.decode(props), fields)
    return Event(name, ts, event_id, joined, late_ms, hidden)
