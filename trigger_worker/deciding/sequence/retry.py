"""Asks for messages again that had failed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from trigger_worker.store.message_event import retry_event
from trigger_worker.store.messages import queue_record
from trigger_worker.store.records import QueuedMessage, Records


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
