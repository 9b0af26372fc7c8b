"""Asks for messages again that had failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Sequence

import msgspec

from trigger_worker.store.feed import News
from trigger_worker.store.groups import by_id, in_query_groups
from trigger_worker.store.message_event import RETRIED, retry_event
from trigger_worker.store.messages import queue_record, read_queue_of
from trigger_worker.store.records import QueuedMessage, Records
from warehouse.connection import Warehouse


def ask_again(records: Records, failed: Sequence[QueuedMessage], now_ms: int) -> None:
    """Make messages pending again, due at once, and tell the worker.

    Their rows are what counts: a worker that starts finds them. One that runs finds the event among its news. The gate
    judges them anew.

    Args:
        records: where rows go.
        failed: what failed.
        now_ms: epoch milliseconds.
    """
    again = [_again(message, now_ms) for message in failed]
    records.store_messages([queue_record(message) for message in again])
    records.store_events([retry_event(message) for message in again])


def _again(message: QueuedMessage, now_ms: int) -> QueuedMessage:
    return msgspec.structs.replace(
        message,
        due_at=now_ms,
        expires_at=now_ms + message.expires_at - message.fired_at,
        attempts=0,
        is_tried=False,
        retries=message.retries + 1,
        recorded_at=message.next_row_at(now_ms),
    )


def read_retried(
    warehouse: Warehouse, news: Iterable[News], known: Callable[[], Container[str]]
) -> list[QueuedMessage]:
    """Return the messages that news says are asked for again, and whose rows say so, too.

    Args:
        warehouse: where they are.
        news: what became visible.
        known: tells the ids of messages that wait already or are being handed over.
    """
    visitors: dict[str, set[str]] = defaultdict(set)
    for item in news:
        if item.event == RETRIED:
            visitors[item.visitor.site].add(item.visitor.visitor_id)
    if not visitors:
        return []
    # Before the rows are read: what is settled meanwhile must not come back.
    known_ids = known()
    return [
        message
        for site, ids in visitors.items()
        for group in in_query_groups(sorted(ids), by_id)
        for message in read_queue_of(warehouse, site, group)
        if message.retries and message.message_id not in known_ids
    ]
