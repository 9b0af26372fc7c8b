"""Makes the events of the worker's messages, for rules to use: `message_sent`, `message_failed`, `message_retried`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from trigger_worker.store.records import MessageRecord, QueuedMessage
from warehouse.event import EventRow
from warehouse.own_event import own_event

#: The states that are events, with their names.
_EVENT_OF_STATE: Final[dict[str, str]] = {"sent": "message_sent", "failed": "message_failed"}
#: The event that an operator asked for a failed message again.
RETRIED: Final = "message_retried"


class Occurrence(msgspec.Struct, frozen=True):
    """A change of a message's state, at `at` (epoch ms); `state` is the new one."""

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
    """Return the change of state that a message's record tells of."""
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
    """Return the event of a change of state, or None for a state that is no event."""
    name = _EVENT_OF_STATE.get(happened.state)
    return None if name is None else _event(name, happened)


def retry_event(message: QueuedMessage) -> EventRow:
    """Return the event that a message, which waits now, was asked for again."""
    return _event(RETRIED, occurrence(MessageRecord(message, "pending", message.recorded_at)))


def _event(name: str, happened: Occurrence) -> EventRow:
    """Return the event under an id that follows from the message, so that a repeat after a crash counts once."""
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
