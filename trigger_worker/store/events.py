"""Rows of `events`: which of a few visitors' to read, and how they become events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.language.syntax import ANY
from trigger_worker.store.feed import PACKAGE
from warehouse.connection import Row
from warehouse.queries import Queries, read_sql
from warehouse.vocabulary import COLUMN_FIELDS, MESSAGE_EVENTS


class Span(msgspec.Struct, frozen=True):
    """Events of some names within some time.

    Args:
        names: event names, `any` possible.
        since, until: epoch milliseconds, both included.
        ids: whose, None for all the ids that are read.
    """

    names: Sequence[str]
    since: int
    until: int
    ids: Sequence[str] | None = None


def read_events(
    warehouse: Queries, scope: Mapping[str, object], spans: Iterable[Span], fields: frozenset[str] | None
) -> Iterator[tuple[str, Event]]:
    """Yield events with the ids that they carry, in no order.

    Args:
        warehouse: where they are.
        scope: the `site`, the visitors' `ids`, and `until`, epoch milliseconds.
        spans: which events, one at least.
        fields: top-level fields to read; None for all of them.
    """
    columns = columns_of(fields)
    sql, parameters = _statement(spans, columns)
    for row in warehouse.query(sql, {**scope, **parameters}):
        yield row[0], as_event(row, columns)


def columns_of(fields: frozenset[str] | None) -> list[str]:
    """Return the columns to read, `props` last when some field has no column of its own."""
    if fields is None:
        return [*COLUMN_FIELDS, "props"]
    columns = sorted(fields & COLUMN_FIELDS.keys())
    return columns if fields <= COLUMN_FIELDS.keys() else [*columns, "props"]


def listed(columns: Sequence[str]) -> str:
    """Return columns as they follow others in a statement."""
    return "".join(f", {column}" for column in columns)


def as_event(row: Row, columns: Sequence[str]) -> Event:
    """Return the event of a row: visitor, name, time and id, then the columns."""
    _, name, ts, event_id, *values = row
    fields: dict[str, Any] = {
        column: value for column, value in zip(columns, values, strict=True) if value not in ("", None)
    }
    props = fields.pop("props", None)
    if props:
        fields = {**msgspec.json.decode(props), **fields}
    return Event(name, ts, event_id, fields)


def _statement(spans: Iterable[Span], columns: Sequence[str]) -> tuple[str, dict[str, object]]:
    """Return the query and its parameters: one condition for each span."""
    conditions: list[str] = []
    parameters: dict[str, object] = {"excluded": sorted(MESSAGE_EVENTS)}
    for index, span in enumerate(spans):
        matching = f"event IN {{names_{index}:Array(String)}}"
        if ANY in span.names:
            matching = f"({matching} OR event NOT IN {{excluded:Array(String)}})"
        theirs = "" if span.ids is None else f" AND visitor_id IN {{ids_{index}:Array(String)}}"
        if span.ids is not None:
            parameters[f"ids_{index}"] = list(span.ids)
        conditions.append(
            f"({matching}{theirs} AND ts >= fromUnixTimestamp64Milli({{from_{index}:Int64}}, 'UTC')"
            f" AND ts <= fromUnixTimestamp64Milli({{to_{index}:Int64}}, 'UTC'))"
        )
        parameters |= {
            f"names_{index}": list(span.names),
            f"from_{index}": max(0, span.since),
            f"to_{index}": max(0, span.until),
        }
    sql = read_sql(PACKAGE, "visitor_events").replace("/* columns */", listed(columns))
    return sql.replace("/* windows */", " OR ".join(conditions)), parameters
