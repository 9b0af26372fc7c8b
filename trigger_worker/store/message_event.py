"""Build the events that the worker adds to a visitor's history, for rules: message_sent, _failed and _retried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from trigger_worker.store.message import MessageRecord, QueuedMessage
from trigger_worker.store.statements import statement
from warehouse.event import EventRow
from warehouse.message_identity import MessageIdentity
from warehouse.own_event import own_event
from warehouse.queries import Queries

#: By state of a message, the event that it becomes.
_EVENT_OF_STATE: Final[dict[str, str]] = {"sent": "message_sent", "failed": "message_failed"}
#: The event that an operator asked for a failed message again.
RETRIED: Final = "message_retried"


class Occurrence(msgspec.Struct, frozen=True):
    """A state that a message reached at `at` (epoch ms), as far as an event tells of it.

    Args:
        message: the message.
        retries: how often an operator had asked for it again by then.
        state: the state.
        detail: the row's `detail`, of which the event takes `variant` and `reason`.
    """

    message: MessageIdentity
    retries: int
    state: str
    at: int
    detail: Mapping[str, Any] = {}


def occurrence(record: MessageRecord) -> Occurrence:
    """Return the occurrence that a record of a message stores."""
    return Occurrence(record.message, record.message.retries, record.state, record.at, record.detail)


def message_event(happened: Occurrence) -> EventRow | None:
    """Return the event of an occurrence, or None where its state is no event."""
    name = _EVENT_OF_STATE.get(happened.state)
    return None if name is None else _event(name, happened)


def retry_event(message: QueuedMessage) -> EventRow:
    """Return the event that an operator asked for a message again; the message is as it waits now."""
    return _event(RETRIED, occurrence(MessageRecord(message, "pending", message.recorded_at)))


def read_untold(queries: Queries, since: int) -> list[Occurrence]:
    """Return the messages that were sent or failed after `since` (epoch ms) and of which no event tells.

    Cost: one query over all messages and message events since then, for a worker that starts.
    """
    rows = queries.query(statement("untold_messages"), {"since": since})
    return [
        Occurrence(MessageIdentity(*identity), retries, state, at, msgspec.json.decode(detail))
        for *identity, retries, state, at, detail in rows
    ]


def _event(name: str, happened: Occurrence) -> EventRow:
    """Return the event under an id that follows from the message, so that a repeat after a crash counts once."""
    message, detail = happened.message, happened.detail
    about = {"rule": message.rule, "channel": message.channel}
    return own_event(
        name,
        event_id=f"{name}-{message.message_id}-{happened.retries}",
        site=message.site,
        visitor_id=message.visitor_id,
        at=happened.at,
        properties={**about, "variant": detail.get("variant"), "reason": detail.get("reason")},
        message_id=message.message_id,
    )
