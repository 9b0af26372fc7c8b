"""Rows of `events`, and putting them in."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from warehouse.connection import Warehouse
from warehouse.event import EventRow, format_time

#: Sunday 22 November 2026, 12:00 UTC, in milliseconds.
NOON = 1_795_348_800_000


def event_row(**columns: Any) -> EventRow:
    """A page view of Ada's at noon, with what a test wants otherwise; `at` is milliseconds after noon."""
    moment = format_time(NOON + columns.pop("at", 0))
    usual = {
        "site": "shop",
        "event": "page_view",
        "type": "page",
        "event_id": uuid.uuid4().hex,
        "visitor_id": "ada",
        "ts": moment,
        "received_at": moment,
        "source": "live",
    }
    return EventRow(**{**usual, **columns})


def as_lines(rows: list[EventRow]) -> bytes:
    """Rows as the collector sends them."""
    return b"\n".join(map(msgspec.json.encode, rows))


def store(warehouse: Warehouse, *rows: EventRow, token: str = "") -> None:
    """Insert rows under a token of their own, unless the test gives one."""
    warehouse.insert_lines("events", as_lines(list(rows)), token or uuid.uuid4().hex)


def value(warehouse: Warehouse, sql: str, **parameters: object) -> Any:
    """The only value of a query's only row."""
    ((found,),) = warehouse.query(sql, parameters)
    return found
