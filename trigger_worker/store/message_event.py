"""What the worker itself adds to a visitor's behaviour, so that rules may use it: `message_sent`, `message_failed`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from trigger_worker.store.records import MessageRecord, QueuedMessage
from warehouse.event import EventRow, format_time

#: The states that are events, with their names.
_EVENT_OF_STATE: Final[dict[str, str]] = {"sent": "message_sent", "failed": "message_failed"}
#: Says that a person asked for a failed message again.
RETRIED: Final = "message_retried"


class Occurrence(msgspec.Struct, frozen=True):
    """Something that happened to a message at `at` (epoch milliseconds); `state` is what it came to."""

    site: str
    message_id: str
    rule: str
    visitor_id: str
    channel: str
    retries: int
    state: str
    at: int
    detail: Mapping[str, Any] = {}


def occurrence(record: MessageRecord) -> Occurrence:
    """Return what a record says that happened."""
    message = record.message
    return Occurrence(
        site=message.site,
        message_id=message.message_id,
        rule=message.rule,
        visitor_id=message.visitor_id,
        channel=message.channel,
        retries=message.retries,
        state=record.state,
        at=record.at,
        detail=record.detail,
    )


def message_event(happened: Occurrence) -> EventRow | None:
    """Return the event that a state is, or None of a state that is none."""
    name = _EVENT_OF_STATE.get(happened.state)
    return None if name is None else _event(name, happened)


def retry_event(message: QueuedMessage) -> EventRow:
    """Return the event that a message, as it waits now, was asked for again."""
    return _event(RETRIED, occurrence(MessageRecord(message, "pending", message.recorded_at)))


def _event(name: str, happened: Occurrence) -> EventRow:
    """The id follows from the message, so that an event that is stored again, after a crash, counts once."""
    told = {"rule": happened.rule, "channel": happened.channel}
    told |= {field: happened.detail[field] for field in ("variant", "reason") if happened.detail.get(field)}
    return EventRow(
        site=happened.site,
        event=name,
        type="track",
        event_id=f"{name}-{happened.message_id}-{happened.retries}",
        visitor_id=happened.visitor_id,
        ts=format_time(happened.at),
        received_at=format_time(happened.at),
        source="live",
        message_id=happened.message_id,
        props=msgspec.json.encode(told).decode(),
    )
