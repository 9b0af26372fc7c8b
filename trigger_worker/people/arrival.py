"""An event on its way to the state of its person: as a collector accepted it, or as the feed told of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import msgspec

from trigger_worker.rules.evaluate.event import UNTIMED, Event, joined_fields, lateness
from trigger_worker.store.feed import News
from trigger_worker.store.people import Visitor
from warehouse.event import EventRow
from warehouse.vocabulary import COLUMN_FIELDS

_COLUMNS: Final = tuple(COLUMN_FIELDS)
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """An event that arrived.

    Args:
        visitor: whose event it is.
        event: the event with all of its fields.
        arrived_at: when it was accepted or became visible, epoch ms.
        joined: the anonymous id that the event joins to the visitor, a user; "" for none.
    """

    visitor: Visitor
    event: Event
    arrived_at: int
    joined: str = ""

    @property
    def key(self) -> tuple[Visitor, str]:
        """The visitor and the id of the event: pages choose ids of events, so that two visitors may use the same."""
        return self.visitor, self.event.event_id

    def as_news(self) -> News:
        """Return the arrival as the feed tells of it."""
        event = self.event
        return News(self.visitor, event.name, event.event_id, event.ts, max(self.arrived_at, event.ts))


def accepted(row: EventRow, at: int) -> Arrival:
    """Return the arrival of an accepted row.

    Args:
        row: the row, as it is on its way to `events`.
        at: when it was accepted, epoch ms.
    """
    ts = read_time(row.ts)
    late_ms = UNTIMED if row.untimed else lateness(ts, read_time(row.received_at)) if row.source == "live" else 0
    fields, hidden = _fields(row)
    event = Event(row.event, ts, row.event_id, fields, late_ms, hidden)
    is_joined = row.user_id and row.anonymous_id and row.user_id != row.anonymous_id
    return Arrival(Visitor(row.site, row.visitor_id), event, at, row.anonymous_id if is_joined else "")


def row_fields(row: EventRow) -> Mapping[str, Any]:
    """Return the fields of a row as rules read them: columns that are set, and the properties beside them."""
    return _fields(row)[0]


def _fields(row: EventRow) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
    columns = {name: value for name in _COLUMNS if (value := getattr(row, name)) not in ("", None)}
    return joined_fields(_decode(row.props), columns) if row.props else (columns, None)


def read_time(text: str) -> int:
    """Return the epoch ms of a time as rows write it, `YYYY-MM-DD HH:MM:SS.mmm` in UTC."""
    return _second(text[:19]) + int(text[20:23])


@lru_cache(maxsize=4096)
def _second(text: str) -> int:
    """Return the epoch ms of a full second; events of one second share it."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000
