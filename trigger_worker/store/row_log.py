"""The worker's log of rows: firings, messages, decisions and events of its own, durable together before any effect."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import msgspec

from trigger_worker.store.decisions import DecisionRecord
from trigger_worker.store.fires import Fire
from trigger_worker.store.message import MessageRecord
from trigger_worker.store.records import decision_row, fire_row, kept_event, message_row
from warehouse.event import EventRow
from warehouse.journal.group_commit import JournalThread
from warehouse.journal.log import TableRows
from warehouse.journal.tables import DECISIONS, FIRES, MESSAGES, OWN_EVENTS

#: Between two looks at what is in ClickHouse.
_POLL_SECONDS: Final = 0.02
_encode = msgspec.json.Encoder().encode


class WorkerRows(msgspec.Struct, frozen=True):
    """Rows that are stored together.

    Args:
        messages: states that messages reached.
        decisions: verdicts on messages.
        fires: firings.
        events: events of our own, such as `message_sent`.
    """

    messages: Sequence[MessageRecord] = ()
    decisions: Sequence[DecisionRecord] = ()
    fires: Sequence[Fire] = ()
    events: Sequence[EventRow] = ()


class RowLog(Protocol):
    """A log that makes rows durable, all of them or none, and moves them to ClickHouse later."""

    async def append(self, rows: WorkerRows, now_ms: int) -> None:
        """Return once the rows are durable.

        Args:
            rows: the rows.
            now_ms: epoch ms.

        Raises:
            JournalError: nothing of them was kept.
        """

    async def until_shared(self, at: int) -> None:
        """Return once whoever may work next would know of all rows that were appended until `at`, epoch ms."""

    def oldest_at(self) -> int | None:
        """Return when the oldest row that is not in ClickHouse yet was appended (epoch ms), None without such a row."""


class JournalRowLog:
    """The log in a journal.

    Args:
        journal: the journal of this process.
        retention_days: by site, for how many days its events are kept.
        is_alone: only a process with this journal may work next; else another machine may, which knows what is in
            ClickHouse.
    """

    def __init__(
        self, journal: JournalThread, retention_days: Mapping[str, int] | None = None, *, is_alone: bool = True
    ) -> None:
        self._journal = journal
        self._retention_days = retention_days or {}
        self._is_alone = is_alone

    async def append(self, rows: WorkerRows, now_ms: int) -> None:
        """Return once the rows are durable, as `RowLog` says."""
        tables: list[TableRows] = [
            (MESSAGES, [_encode(message_row(record)) for record in rows.messages]),
            (DECISIONS, [_encode(decision_row(decision)) for decision in rows.decisions]),
            (FIRES, [_encode(fire_row(fire, now_ms)) for fire in rows.fires]),
            (OWN_EVENTS, [_encode(kept_event(row, self._retention_days)) for row in rows.events]),
        ]
        if any(lines for _, lines in tables):
            await self._journal.append_together(tables, now_ms)

    async def until_shared(self, at: int) -> None:
        """Return at once when this process is alone; else once the rows are in ClickHouse, however long that takes."""
        while not self._is_alone and (oldest := self.oldest_at()) is not None and oldest <= at:  # noqa: ASYNC110
            # The journal tells nobody when rows have left it.
            await asyncio.sleep(_POLL_SECONDS)

    def oldest_at(self) -> int | None:
        """Return when the oldest row that is not in ClickHouse yet was appended, as `RowLog` says."""
        waiting = (self._journal.oldest_at(table) for table in (MESSAGES, DECISIONS, FIRES))
        return min((at for at in waiting if at is not None), default=None)
