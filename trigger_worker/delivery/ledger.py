"""Stores verdicts, states of messages and their events; waits while ClickHouse is away, and isolates refused rows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

import stamina
import structlog

from trigger_worker.delivery.grouped_writes import GroupedWrites
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.store.decisions import DecisionRecord
from trigger_worker.store.message import MessageRecord
from trigger_worker.store.message_event import Occurrence, message_event, occurrence
from trigger_worker.store.records import Records
from warehouse.errors import WarehouseError, WarehouseUnavailable
from warehouse.event import EventRow

T = TypeVar("T", DecisionRecord, MessageRecord, EventRow)

#: The longest wait between two attempts to reach ClickHouse, in seconds.
LONGEST_WAIT_SECONDS: Final = 5.0
#: States gather for as long as their last insert took: in a burst, half as many inserts of twice as many rows.
STATES_REST: Final = 1.0
#: An event is inserted into five tables; this pause leaves ClickHouse four fifths of the time for other work.
EVENTS_REST: Final = 4.0

_log = structlog.get_logger("trigger_worker.delivery.ledger")


class Ledger:
    """Stores the rows of messages before and after they are sent.

    A message whose row ClickHouse refuses for good is not sent, because there would be no record of it. The refusal is
    logged and counted, the message stays pending, and the next worker that starts tries it again.

    Args:
        records: inserts the rows.
        metrics: counts refused rows.
    """

    def __init__(self, records: Records, metrics: WorkerMetrics) -> None:
        self._records = records
        self._metrics = metrics
        self._states = GroupedWrites(self.store_messages, STATES_REST)
        self._events = GroupedWrites(self._store_events, EVENTS_REST)

    async def store_decisions(self, decisions: list[DecisionRecord]) -> list[DecisionRecord]:
        """Store verdicts, and return the records that ClickHouse refused.

        Cost: one insert; after a refusal about 2 log2(n) more per refused row of n.
        """
        return await self._store(self._records.store_decisions, decisions)

    async def store_messages(self, records: list[MessageRecord]) -> list[MessageRecord]:
        """Store states of messages, and return the records that ClickHouse refused.

        The events that belong to the stored states are queued and stored later.

        Cost: one insert; after a refusal about 2 log2(n) more per refused row of n.
        """
        refused = await self._store(self._records.store_messages, records)
        lost = {id(record) for record in refused}
        self.announce(occurrence(record) for record in records if id(record) not in lost)
        return refused

    async def store_message(self, record: MessageRecord) -> bool:
        """Store one state of a message in a group with others of the same time; tell whether it is stored."""
        return await self._states.add(record)

    def announce(self, happened: Iterable[Occurrence]) -> None:
        """Queue the events of some occurrences, to be stored later."""
        for event in map(message_event, happened):
            if event is not None:
                self._events.add(event)

    def open_tasks(self) -> set[asyncio.Task[None]]:
        """Return the tasks that write rows."""
        return self._states.open_tasks() | self._events.open_tasks()

    async def _store_events(self, events: list[EventRow]) -> list[EventRow]:
        return await self._store(self._records.store_events, events)

    async def _store(self, store: Callable[[list[T]], None], rows: list[T]) -> list[T]:
        """Store rows, waiting while ClickHouse is away; halve a refused insert until the refused rows are alone."""
        try:
            await _store_at_last(store, rows)
        except WarehouseError as error:
            if len(rows) > 1:
                middle = len(rows) // 2
                return await self._store(store, rows[:middle]) + await self._store(store, rows[middle:])
            self._metrics.records_refused.inc()
            _log.error("record_refused", message_id=_message_id(rows[0]), error=error.message, remedy=error.hint)
            return rows
        return []


def _message_id(row: DecisionRecord | MessageRecord | EventRow) -> str:
    return row.message_id if isinstance(row, EventRow) else row.message.message_id


async def _store_at_last(store: Callable[[list[T]], None], rows: list[T]) -> None:
    endless = stamina.retry_context(on=WarehouseUnavailable, attempts=None, timeout=None, wait_max=LONGEST_WAIT_SECONDS)
    async for attempt in endless:
        with attempt:
            await asyncio.to_thread(store, rows)
