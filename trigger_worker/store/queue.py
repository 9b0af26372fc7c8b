"""The queue of messages as it is stored: rows of state `pending`, from which a worker that starts reads it again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from trigger_worker.rules.model import MessageClass
from trigger_worker.store.message import MessageRecord, QueuedMessage
from trigger_worker.store.people import Visitor, visitor_groups
from trigger_worker.store.statements import statement
from warehouse.connection import Row
from warehouse.message_identity import MessageIdentity
from warehouse.queries import Queries


class QueueDetail(msgspec.Struct, frozen=True):
    """The JSON in the column `detail` of a pending message: the fields that another worker needs to go on with it."""

    position: int
    priority: int
    fired_at: int
    attempts: int
    event: dict[str, Any]
    is_tried: bool = False


class _QueuedRow(MessageIdentity, frozen=True, array_like=True):
    """A row of queued_messages.sql, column by column."""

    fire_id: str
    version: str
    template: str
    tags: tuple[str, ...]
    message_class: MessageClass
    due_at: int
    expires_at: int
    retries: int
    recorded_at: int
    detail: str


def queue_record(message: QueuedMessage) -> MessageRecord:
    """Return the row, of the time `recorded_at`, that keeps a message until it is settled."""
    detail = QueueDetail(
        message.position, message.priority, message.fired_at, message.attempts, message.event, message.is_tried
    )
    return MessageRecord(message, "pending", message.recorded_at, detail=msgspec.to_builtins(detail))


def read_queue(queries: Queries) -> list[QueuedMessage]:
    """Return every message that was asked for and not settled, for a worker that starts.

    Cost: one query over the key columns of all messages of 400 days, and over the other columns of those that wait.
    """
    return _read(queries, everybody=True)


def read_queue_of(queries: Queries, visitors: Iterable[Visitor]) -> list[QueuedMessage]:
    """Return the messages to some visitors, by the ids that they were asked for, that are not settled.

    Cost: one query for each group of some hundred visitors of a site, over their own messages.
    """
    return [
        message
        for site, ids in visitor_groups(visitors)
        for message in _read(queries, everybody=False, site=site, ids=ids)
    ]


def read_failed(queries: Queries, message_ids: Sequence[str] = (), rule: str = "") -> list[QueuedMessage]:
    """Return the failed messages of some ids or of a rule; of neither, all.

    Cost: one query over all messages, of that rule where there is one; for commands, not for the loops.
    """
    parameters = {"messages": list(message_ids), "rule": rule}
    return [_queued(row) for row in queries.query(statement("failed_messages"), parameters)]


def _read(queries: Queries, *, everybody: bool, site: str = "", ids: Sequence[str] = ()) -> list[QueuedMessage]:
    parameters = {"everybody": everybody, "site": site, "ids": list(ids)}
    return [_queued(row) for row in queries.query(statement("queued_messages"), parameters)]


def _queued(row: Row) -> QueuedMessage:
    found = msgspec.structs.asdict(msgspec.convert(row, _QueuedRow))
    kept = msgspec.json.decode(found.pop("detail"), type=QueueDetail)
    return QueuedMessage(**found, **msgspec.structs.asdict(kept))
