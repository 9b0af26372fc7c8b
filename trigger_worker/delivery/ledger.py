"""Stores firings, verdicts and states of messages: durable before any effect, and known in memory at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec
import structlog

from trigger_worker.people.address_book import AddressBook
from trigger_worker.people.memory import People
from trigger_worker.people.state import Write
from trigger_worker.store.message import MessageRecord
from trigger_worker.store.message_event import Occurrence, message_event, occurrence
from trigger_worker.store.row_log import RowLog, WorkerRows
from warehouse.errors import JournalError
from warehouse.event import EventRow

#: How long an outcome that must be recorded waits for the disk, each time, in seconds.
RETRY_SECONDS: Final = 1.0

#: Hears of events of our own that were stored, with the instant in epoch ms.
Tell = Callable[[Sequence[EventRow], int], None]

_log = structlog.get_logger("trigger_worker.delivery.ledger")


class Ledger:
    """Stores rows in the worker's log.

    Args:
        log: makes rows durable.
        people: the people in memory, who know of a row as soon as it is on its way to the disk.
        book: the addresses in memory, which know of messages that went to them.
        tell: hears of the events that the rows become, such as `message_sent`.
        now_ms: returns the present, in epoch ms.
    """

    def __init__(self, log: RowLog, people: People, book: AddressBook, tell: Tell, now_ms: Callable[[], int]) -> None:
        self._log = log
        self._people = people
        self._book = book
        self._tell = tell
        self._now_ms = now_ms

    async def store(self, rows: WorkerRows) -> None:
        """Store rows, and the events that states of messages become; return once all of them are durable.

        Raises:
            JournalError: nothing was stored; the people concerned are read anew.
        """
        events = [*rows.events, *_events(map(occurrence, rows.messages))]
        writes: list[Write] = [*rows.fires, *rows.decisions, *rows.messages]
        now_ms = self._now_ms()
        for write in writes:
            self._people.note(write, now_ms)
        # At once, as with people: the next decision may come before the disk has answered.
        self._book.note_sent(rows.messages, now_ms)
        try:
            await self._log.append(msgspec.structs.replace(rows, events=events), now_ms)
        except JournalError:
            self._people.take_back(writes)
            raise
        self._tell(events, now_ms)

    async def store_attempt(self, record: MessageRecord) -> None:
        """Store that an attempt begins; return once whoever may work next would know of it.

        Raises:
            JournalError: it was not stored, and must not be made.
        """
        await self.store(WorkerRows(messages=[record]))
        await self._log.until_shared(self._now_ms())

    async def store_outcome(self, record: MessageRecord) -> None:
        """Store the outcome of an attempt, however long the disk takes: the attempt cannot be taken back."""
        while True:
            try:
                await self.store(WorkerRows(messages=[record]))
            except JournalError as error:
                _log.error("outcome_waits", message_id=record.message.message_id, error=error.message)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def announce(self, happened: Iterable[Occurrence]) -> None:
        """Store the events of states that an earlier process stored without them."""
        events = _events(happened)
        if events:
            await self.store(WorkerRows(events=events))


def _events(happened: Iterable[Occurrence]) -> list[EventRow]:
    return [event for event in map(message_event, happened) if event is not None]
