"""Outcomes of messages, such as shown or clicked, become states of the messages in ClickHouse."""

from __future__ import annotations

from collections.abc import Iterable

from trigger_worker.store.feed import News
from trigger_worker.store.row_log import RowLog
from trigger_worker.store.sent import record_outcomes
from warehouse.connection import Warehouse
from warehouse.vocabulary import OUTCOME_STATES


class Outcomes:
    """The outcomes that the feed told of, until the messages that they are about are in ClickHouse.

    Memory knows of an outcome at once; only the rows wait.

    Args:
        warehouse: the ClickHouse database with events and messages.
        log: tells which rows of ours are in ClickHouse.
    """

    def __init__(self, warehouse: Warehouse, log: RowLog) -> None:
        self._warehouse = warehouse
        self._log = log
        self._waiting: list[News] = []

    def add(self, news: Iterable[News]) -> None:
        """Add the outcomes among some news; those that wait already are not added again."""
        known = {item.identity for item in self._waiting}
        self._waiting += [item for item in news if item.event in OUTCOME_STATES and item.identity not in known]

    def oldest(self) -> list[int]:
        """Return when the oldest waiting outcome became visible (epoch ms), or nothing."""
        return [min(item.visible_at for item in self._waiting)] if self._waiting else []

    def record(self, now_ms: int) -> None:
        """Store the states of messages that had left the journal when their outcome became visible.

        Args:
            now_ms: epoch ms.

        Raises:
            WarehouseError: they are not stored, and wait.

        Cost: as `record_outcomes`.
        """
        in_journal_since = self._log.oldest_at() or now_ms
        ready = [item for item in self._waiting if item.visible_at <= in_journal_since]
        if ready:
            record_outcomes(self._warehouse, ready)
            self._waiting = [item for item in self._waiting if item.visible_at > in_journal_since]
