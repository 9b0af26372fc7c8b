"""What the worker must know to decide on messages: those that wait, and what their visitors were sent before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from typing import Any, Literal

import msgspec

from trigger_worker.gate.facts import SentMessage
from trigger_worker.reading.feed import PACKAGE
from trigger_worker.reading.people import Person
from trigger_worker.records import MessageRecord, QueuedMessage
from warehouse.connection import Row, Warehouse
from warehouse.sql import read_sql


class QueueDetail(msgspec.Struct, frozen=True):
    """What a pending message's row carries so that another worker can go on with it."""

    position: int
    priority: int
    fired_at: int
    attempts: int
    event: dict[str, Any]


def queue_record(message: QueuedMessage, at: int) -> MessageRecord:
    """Return the row that keeps a message until it is settled."""
    detail = QueueDetail(message.position, message.priority, message.fired_at, message.attempts, message.event)
    return MessageRecord(message, "pending", at, detail=msgspec.to_builtins(detail))


def read_queue(warehouse: Warehouse) -> list[QueuedMessage]:
    """Return every message that was asked for and not settled, for a worker that starts."""
    return [_queued(row) for row in warehouse.query(read_sql(PACKAGE, "queued_messages"))]


class _QueuedRow(msgspec.Struct, frozen=True, array_like=True):
    """A row of queued_messages.sql, column by column."""

    message_id: str
    fire_id: str
    site: str
    rule: str
    version: str
    visitor_id: str
    channel: str
    template: str
    tags: tuple[str, ...]
    message_class: Literal["marketing", "transactional"]
    due_at: int
    expires_at: int
    detail: str


def _queued(row: Row) -> QueuedMessage:
    found = msgspec.structs.asdict(msgspec.convert(row, _QueuedRow))
    kept = msgspec.json.decode(found.pop("detail"), type=QueueDetail)
    return QueuedMessage(**found, **msgspec.structs.asdict(kept))


def read_sent(
    warehouse: Warehouse, people: Iterable[Person], since: int, but_not: Container[str] = ()
) -> dict[Person, list[SentMessage]]:
    """Return what each person was sent after `since` (epoch milliseconds), oldest first.

    Args:
        but_not: ids of messages that are passed over.
    """
    sent: dict[Person, list[SentMessage]] = {person: [] for person in people}
    for site, owner in _owners(sent).items():
        parameters = {"site": site, "ids": list(owner), "since": since}
        for message_id, visitor_id, channel, rule, at, tags, message_class, shown, clicked in warehouse.query(
            read_sql(PACKAGE, "sent_messages"), parameters
        ):
            if message_id in but_not:
                continue
            sent[owner[visitor_id]].append(
                SentMessage(
                    channel=channel,
                    rule=rule,
                    at_ms=at,
                    tags=frozenset(tags),
                    message_class=message_class,
                    shown=bool(shown),
                    clicked=bool(clicked),
                )
            )
    return sent


def read_fire_facts(
    warehouse: Warehouse, people: Iterable[Person], fire_ids: Iterable[str]
) -> dict[str, dict[str, bool]]:
    """Return, by firing, what its messages came to, such as `opened(email)`."""
    facts: dict[str, dict[str, bool]] = defaultdict(dict)
    fires = sorted(set(fire_ids))
    for site, owner in _owners(people).items():
        rows = warehouse.query(read_sql(PACKAGE, "fire_states"), {"site": site, "ids": list(owner), "fires": fires})
        for fire_id, channel, state in rows:
            facts[fire_id][f"{state}({channel})"] = True
    return facts


def _owners(people: Iterable[Person]) -> Mapping[str, dict[str, Person]]:
    owners: dict[str, dict[str, Person]] = defaultdict(dict)
    for person in people:
        owners[person.site] |= dict.fromkeys(person.ids, person)
    return owners
