"""Takes decoded batches: runs the pipeline, keeps the rows in the spool, and counts them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import structlog

from collector.intake import pipeline
from collector.intake.body import Batch
from collector.intake.draft import Drop, DropReason, Receipt
from collector.metrics import CollectorMetrics
from collector.sites import Site
from collector.spool.file import SpooledEvent
from collector.spool.group_commit import GroupCommit
from collector.spool.writer import Writer
from warehouse.event import EventRow

#: Called with rows that were just kept and the instant of their receipt, epoch ms.
Accepted = Callable[[Sequence[EventRow], int], None]
_encode = msgspec.json.Encoder().encode
_log = structlog.get_logger("collector.ingest")
_LOGGED_DROPS: Final = 3  # examples in one log line; the counter has all of them


class Acknowledgement(msgspec.Struct, frozen=True):
    """The result of a batch.

    Args:
        anonymous_ids: the browsers whose events were kept.
        drops: each event that was not kept, with its reason.
    """

    anonymous_ids: set[str]
    drops: list[Drop]


class Ingest:
    """Takes batches, and events of the collector's own; when a call returns, the kept rows are on disk.

    Args:
        spool: keeps rows until ClickHouse has them.
        writer: woken when rows were kept.
        metrics: counts events kept and dropped.
        accepted: called in the event loop with the rows that are on disk.
    """

    def __init__(self, spool: GroupCommit, writer: Writer, metrics: CollectorMetrics, accepted: Accepted) -> None:
        self._spool = spool
        self._writer = writer
        self._metrics = metrics
        self._accepted = accepted

    async def take(self, batch: Batch, site: Site, receipt: Receipt) -> Acknowledgement:
        """Keep the events of a batch.

        Raises:
            SpoolError: nothing of it was kept; the sender must try again.
        """
        outcome = pipeline.run(batch.batch, site, receipt, batch.context or {})
        repeated = await self._spool_rows(outcome.rows, receipt.received_at)
        drops = outcome.drops + [Drop(event_id, DropReason.DUPLICATE) for event_id in repeated]
        self._count(site, len(outcome.rows) - len(repeated), drops)
        return Acknowledgement({row.anonymous_id for row in outcome.rows if row.anonymous_id}, drops)

    async def keep(self, site: Site, row: EventRow, now_ms: int) -> None:
        """Keep an event that the collector made; a repeat of a kept event is counted as a drop.

        Raises:
            SpoolError: it was not kept.
        """
        repeated = await self._spool_rows([row], now_ms)
        self._count(site, 1 - len(repeated), [Drop(event_id, DropReason.DUPLICATE) for event_id in repeated])

    async def _spool_rows(self, rows: list[EventRow], now_ms: int) -> list[str]:
        if not rows:
            return []
        events = [SpooledEvent(row.site, row.event_id, _encode(row)) for row in rows]
        repeated = await asyncio.wrap_future(self._spool.append(events, now_ms))
        self._writer.wake()
        self._accepted(rows, now_ms)
        return [event.event_id for event in repeated]

    def _count(self, site: Site, kept: int, drops: list[Drop]) -> None:
        self._metrics.events_accepted.labels(site.name).inc(kept)
        for drop in drops:
            self._metrics.events_dropped.labels(site.name, drop.reason).inc()
        telling = [drop for drop in drops if drop.reason is not DropReason.DUPLICATE]
        if telling:
            examples = [f"{drop.reason}: {drop.detail}" for drop in telling[:_LOGGED_DROPS]]
            _log.info("events_dropped", site=site.name, count=len(telling), examples=examples)
