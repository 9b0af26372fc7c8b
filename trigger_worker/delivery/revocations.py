"""Stores `push_unsubscribed` events, for browsers whose push service says that they are not subscribed any more."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Final

import structlog

from trigger_worker.delivery.channels.base import OutboundMessage
from trigger_worker.store.records import Records
from warehouse.errors import WarehouseError
from warehouse.event import EventRow
from warehouse.own_event import own_event

_NAMESPACE: Final = uuid.UUID("6d6d7075-7368-7000-8000-000000000000")

_log = structlog.get_logger("trigger_worker.delivery.revocations")


class Revocations:
    """Stores the events of subscriptions that are gone; the next push finds again what could not be stored.

    Args:
        records: stores the events.
        now_ms: the clock, which returns epoch ms.
    """

    def __init__(self, records: Records, now_ms: Callable[[], int]) -> None:
        self._records = records
        self._now_ms = now_ms

    async def record(self, message: OutboundMessage, endpoint: str) -> None:
        """Store that the subscription with this endpoint is gone, as the push service answered to a message.

        A failure to store it is logged.
        """
        try:
            await asyncio.to_thread(self._records.store_events, [self._event(message, endpoint)])
        except WarehouseError as error:
            _log.warning("revocation_not_stored", message_id=message.message_id, error=error.message)

    def _event(self, message: OutboundMessage, endpoint: str) -> EventRow:
        return own_event(
            "push_unsubscribed",
            event_id=str(uuid.uuid5(_NAMESPACE, f"{message.message_id} {endpoint}")),
            site=message.site,
            visitor_id=message.visitor_id,
            at=self._now_ms(),
            properties={"endpoint": endpoint, "rule": message.rule, "channel": "push", "reason": "gone"},
            message_id=message.message_id,
        )
