"""What the worker itself adds to a visitor's behaviour, so that rules may use it: `message_sent`, `message_failed`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from trigger_worker.store.records import MessageRecord, QueuedMessage
from warehouse.event import EventRow
from warehouse.own_event import own_event

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
    detail = happened.detail
    about = {"rule": happened.rule, "channel": happened.channel}
    return own_event(
        name,
        event_id=f"{name}-{happened.message_id}-{happened.retries}",
        site=happened.site,
        visitor_id=happened.visitor_id,
        at=happened.at,
        properties={**about, "variant": detail.get("variant"), "reason": detail.get("reason")},
        message_id=happened.message_id,
    )
