"""Short ways to store events, and to make what the worker passes around."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import msgspec

from trigger_worker.store.fires import Fire
from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.people import Person, Visitor
from warehouse.connection import Warehouse
from warehouse.event import format_time
from warehouse.vocabulary import COLUMN_FIELDS

#: Sunday noon in Berlin.
NOON = 1_795_345_200_000

_ids = itertools.count(1)


def event_row(event: str, visitor: str = "anna", at: int = NOON, **fields: Any) -> dict[str, Any]:
    """Return the row of an event, as the collector writes it.

    Args:
        at: when it happened, epoch milliseconds.
        fields: `user`, `site`, `event_id`, `source` and `stored_at` say so; the rest are columns and, under any other
            name, properties.
    """
    user, stored_at = fields.pop("user", ""), fields.pop("stored_at", at)
    made = {
        "site": fields.pop("site", "shop"),
        "event": event,
        "type": "track",
        "event_id": fields.pop("event_id", None) or f"event-{next(_ids):06d}",
        "visitor_id": user or visitor,
        "anonymous_id": visitor,
        "user_id": user,
        "source": fields.pop("source", "live"),
        "ts": format_time(at),
        "received_at": format_time(stored_at),
        "ingested_at": format_time(stored_at),
    }
    columns = {name: value for name, value in fields.items() if name in COLUMN_FIELDS}
    props = {name: value for name, value in fields.items() if name not in COLUMN_FIELDS}
    return {**made, "props": msgspec.json.encode(props).decode() if props else "", **columns}


def store(warehouse: Warehouse, *rows: dict[str, Any]) -> None:
    """Store events in one insert."""
    warehouse.insert_lines("events", b"\n".join(map(msgspec.json.encode, rows)), uuid.uuid4().hex)


def person(*ids: str, site: str = "shop") -> Person:
    """Return a person; the first id is theirs now."""
    return Person(site, ids[0], ids)


def visitor(visitor_id: str = "anna", site: str = "shop") -> Visitor:
    return Visitor(site, visitor_id)


def fire(fire_id: str = "fire-1", **changes: Any) -> Fire:
    """Return a firing of the rule `lingers` for anna at noon."""
    made = Fire(fire_id, "shop", "lingers", "v1", "anna", "", NOON, {"event": "hover", "name": "Tent"})
    return msgspec.structs.replace(made, **changes)


def queued(message_id: str = "message-1", **changes: Any) -> QueuedMessage:
    """Return a message of that firing, a banner due at noon that lives for a day."""
    made = QueuedMessage(
        message_id=message_id,
        fire_id="fire-1",
        site="shop",
        rule="lingers",
        version="v1",
        visitor_id="anna",
        channel="banner",
        template="hello",
        position=0,
        tags=("discount",),
        message_class="marketing",
        priority=50,
        fired_at=NOON,
        due_at=NOON,
        expires_at=NOON + 86_400_000,
        attempts=0,
        event={"event": "hover", "name": "Tent"},
        recorded_at=NOON,
    )
    return msgspec.structs.replace(made, **changes)
