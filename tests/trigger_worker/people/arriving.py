"""Events on their way to people, short to write."""

from __future__ import annotations

import uuid
from typing import Any, Final

from tests.trigger_worker.stored import NOON, event_row, visitor
from trigger_worker.people.arrival import Arrival, accepted
from trigger_worker.people.reading import Scope
from trigger_worker.store.windows import Wanted
from warehouse.event import EventRow

DAY: Final = 86_400_000
#: Everything but messages, with two context fields.
EVERYTHING: Final = Wanted({"any": 400 * DAY}, None, frozenset({"device", "timezone"}))
SCOPE: Final = Scope(EVERYTHING)


def as_row(fields: dict[str, Any]) -> EventRow:
    """Return what `event_row` made as the collector's row."""
    return EventRow(**{name: value for name, value in fields.items() if name != "ingested_at"})


def arrival(event: str = "hover", who: str = "anna", at: int = NOON, **fields: Any) -> Arrival:
    """Return an event that was accepted when it happened, or at `stored_at`; the rest is as in `event_row`."""
    stored_at = fields.pop("stored_at", at)
    return accepted(as_row(event_row(event, who, at, **fields)), stored_at)


def born(at: int, number: int = 1) -> str:
    """Return an id of version 7 that was made at an instant, epoch ms."""
    return str(uuid.UUID(int=at << 80 | 7 << 76 | 0b10 << 62 | number))


def read(one: Arrival) -> tuple[str, str, int]:
    """Return whose event it is, its id and its instant."""
    return one.visitor.visitor_id, one.event.event_id, one.event.ts


ANNA: Final = visitor("anna")
