"""What the worker must know to decide on messages: those that wait, and what their visitors were sent before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from trigger_worker.deciding.gate.facts import SentMessage
from trigger_worker.store.feed import PACKAGE
from trigger_worker.store.groups import in_query_groups
from trigger_worker.store.message_event import Occurrence
from trigger_worker.store.people import Person
from trigger_worker.store.records import MessageRecord, QueuedMessage
from warehouse.channel_traits import CHANNEL_TRAITS
from warehouse.connection import Row, Warehouse
from warehouse.queries import Queries, read_sql

#: What a state proves besides itself: who clicks an email has opened it, though its picture was blocked.
_PROVES: Final[Mapping[str, tuple[str, ...]]] = {
    "delivered": ("delivered",),
    "shown": ("shown", "delivered"),
    "dismissed": ("dismissed", "shown", "delivered"),
    "opened": ("opened", "delivered"),
    "clicked": ("clicked", "opened", "shown", "delivered"),
}
#: Channels whose messages are delivered once the peer has taken them, as no report follows.
_DELIVERED_WHEN_SENT: Final = frozenset(name for name, traits in CHANNEL_TRAITS.items() if not traits.reports_delivery)


class QueueDetail(msgspec.Struct, frozen=True):
    """What a pending message's row carries so that another worker can go on with it."""

    position: int
    priority: int
    fired_at: int
    attempts: int
    event: dict[str, Any]
    is_tried: bool = False


def queue_record(message: QueuedMessage) -> MessageRecord:
    """Return the row, of the time `recorded_at`, that keeps a message until it is settled."""
    detail = QueueDetail(
        message.position, message.priority, message.fired_at, message.attempts, message.event, message.is_tried
    )
    return MessageRecord(message, "pending", message.recorded_at, detail=msgspec.to_builtins(detail))


def read_queue(warehouse: Warehouse) -> list[QueuedMessage]:
    """Return every message that was asked for and not settled, for a worker that starts."""
    return _read(warehouse, everybody=True)


def read_queue_of(warehouse: Warehouse, site: str, visitor_ids: Iterable[str]) -> list[QueuedMessage]:
    """Return the messages to some visitors of a site, by the ids that they were asked for, that are not settled."""
    return _read(warehouse, everybody=False, site=site, ids=sorted(visitor_ids))


def _read(warehouse: Warehouse, *, everybody: bool, site: str = "", ids: Sequence[str] = ()) -> list[QueuedMessage]:
    parameters = {"everybody": everybody, "site": site, "ids": list(ids)}
    return [_queued(row) for row in warehouse.query(read_sql(PACKAGE, "queued_messages"), parameters)]


def read_failed(queries: Queries, message_ids: Sequence[str] = (), rule: str = "") -> list[QueuedMessage]:
    """Return the messages that failed, of some ids or of a rule; of neither, all."""
    parameters = {"messages": list(message_ids), "rule": rule}
    return [_queued(row) for row in queries.query(read_sql(PACKAGE, "failed_messages"), parameters)]


def read_untold(warehouse: Warehouse, since: int) -> list[Occurrence]:
    """Return what was sent or failed after `since` (epoch milliseconds) and is not among the events."""
    rows = warehouse.query(read_sql(PACKAGE, "untold_messages"), {"since": since})
    return [_occurrence(row) for row in rows]


def _occurrence(row: Row) -> Occurrence:
    site, message_id, rule, visitor_id, channel, retries, state, at, detail = row
    return Occurrence(site, message_id, rule, visitor_id, channel, retries, state, at, msgspec.json.decode(detail))


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
    retries: int
    recorded_at: int
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
    for group in in_query_groups(sent, lambda person: person.ids):
        for site, owner in _owners(group).items():
            parameters = {"site": site, "ids": list(owner), "since": max(0, since)}
            for row in warehouse.query(read_sql(PACKAGE, "sent_messages"), parameters):
                message_id, visitor_id = row[:2]
                if message_id not in but_not:
                    sent[owner[visitor_id]].append(_as_sent(row))
    return sent


def _as_sent(row: Row) -> SentMessage:
    _, _, channel, rule, at, tags, message_class, shown, clicked = row
    return SentMessage(
        channel=channel,
        rule=rule,
        at_ms=at,
        tags=frozenset(tags),
        message_class=message_class,
        shown=bool(shown),
        clicked=bool(clicked),
    )


def read_fire_facts(
    warehouse: Warehouse, people: Iterable[Person], fire_ids: Iterable[str]
) -> dict[str, dict[str, bool]]:
    """Return, by firing, what its messages came to, such as `opened(email)`."""
    facts: dict[str, dict[str, bool]] = defaultdict(dict)
    fires = sorted(set(fire_ids))
    for group in in_query_groups(people, lambda person: person.ids):
        for site, owner in _owners(group).items():
            parameters = {"site": site, "ids": list(owner), "fires": fires}
            for fire_id, channel, state in warehouse.query(read_sql(PACKAGE, "fire_states"), parameters):
                facts[fire_id] |= {f"{proven}({channel})": True for proven in _proven(channel, state)}
    return facts


def read_restarted(warehouse: Warehouse, people: Iterable[Person], fire_ids: Iterable[str]) -> dict[str, str]:
    """Return, by firing, the newest one of the same rule, person and key, where that is another."""
    found: dict[str, str] = {}
    fires = sorted(fire_ids)
    for group in in_query_groups(people, lambda person: person.ids):
        for site, owner in _owners(group).items():
            persons = [person.visitor_id for person in owner.values()]
            parameters = {"site": site, "ids": list(owner), "persons": persons, "fires": fires}
            found |= dict(warehouse.query(read_sql(PACKAGE, "restarted"), parameters))
    return found


def _proven(channel: str, state: str) -> tuple[str, ...]:
    if state == "sent" and channel in _DELIVERED_WHEN_SENT:
        return (state, "delivered")
    return _PROVES.get(state, (state,))


def _owners(people: Iterable[Person]) -> Mapping[str, dict[str, Person]]:
    owners: dict[str, dict[str, Person]] = defaultdict(dict)
    for person in people:
        owners[person.site] |= dict.fromkeys(person.ids, person)
    return owners
