"""Ask for failed messages again, and hear in the worker that an operator asked."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence

import msgspec

from trigger_worker.store.feed import News
from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.message_event import RETRIED, retry_event
from trigger_worker.store.queue import queue_record, read_queue_of
from trigger_worker.store.records import Records
from warehouse.queries import Queries


def ask_again(records: Records, failed: Sequence[QueuedMessage], now_ms: int) -> None:
    """Make failed messages pending again, due at once, and tell the worker.

    Their rows are what counts: a worker that starts finds them. A worker that runs finds the event among its news. The
    gate judges the messages anew.

    Args:
        records: stores the rows.
        failed: the messages.
        now_ms: epoch ms.
    """
    again = [_again(message, now_ms) for message in failed]
    records.store_messages([queue_record(message) for message in again])
    records.store_events([retry_event(message) for message in again])


def read_retried(queries: Queries, news: Iterable[News], known: Callable[[], Container[str]]) -> list[QueuedMessage]:
    """Return the messages that news says were asked for again, and whose rows say so, too.

    Args:
        queries: the ClickHouse database with the messages.
        news: the events that became visible.
        known: returns the ids of messages that wait already or are being handed over.

    Cost: nothing without such news; else as `read_queue_of` for the visitors in it.
    """
    visitors = {item.visitor for item in news if item.event == RETRIED}
    if not visitors:
        return []
    # Before the rows are read: what is settled meanwhile must not come back.
    known_ids = known()
    queued = read_queue_of(queries, visitors)
    return [message for message in queued if message.retries and message.message_id not in known_ids]


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
