"""Takes decoded batches: runs the pipeline, keeps the rows in the journal, counts them, and passes them on."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
import structlog

from collector.admission.visitors import VisitorPace
from collector.intake import pipeline
from collector.intake.body import Batch
from collector.intake.draft import Drop, DropReason, EventWarning, Receipt
from collector.intake.examples import FaultKey, Sighting, without_values
from collector.intake.fault_book import FaultBook
from collector.intake.pipeline import Outcome
from collector.intake.sender_clock import ClientClocks
from collector.metrics import CollectorMetrics
from collector.sites import Site
from warehouse.event import EventRow, format_time
from warehouse.faults import FaultKind
from warehouse.journal.group_commit import JournalThread
from warehouse.journal.tables import EVENTS, event_key
from warehouse.vocabulary import ORDER_EVENTS

#: Called with rows that were just kept and the instant of their receipt, epoch ms.
Accepted = Callable[[Sequence[EventRow], int], None]
_encode = msgspec.json.Encoder().encode
_log = structlog.get_logger("collector.ingest")
#: Tells whether a row is of somebody who was erased since it happened.
IsErased = Callable[[EventRow], bool]
_LONG_AGO: Final = format_time(0)
_LOGGED_DROPS: Final = 3  # examples in one log line; the counter has all of them
_LOG_SECONDS: Final = 10.0
_NO_SIGHTINGS: Final[Mapping[FaultKey, Sighting]] = {}


def nobody_is_erased(_: EventRow) -> bool:
    """Return False: nobody was erased."""
    return False


def _as_told(row: EventRow) -> EventRow:
    """Return a row with a time long ago where it is not known when its event happened, or that was too long ago."""
    return msgspec.structs.replace(row, ts=_LONG_AGO) if row.untimed else row


def _repeated(row: EventRow) -> str:
    """Return why a row is a repeat, where its messageId need not be one."""
    if row.event not in ORDER_EVENTS or not row.order_id:
        return ""
    return f"this {row.event} was told before: an order counts once, whatever the messageId"


class Acknowledgement(msgspec.Struct, frozen=True):
    """The result of a batch.

    Args:
        anonymous_ids: the browsers whose events were kept.
        drops: each event that was not kept, with its reason.
        warnings: each event that was kept, but not as it was sent.
        visitors: how many different ones the kept events are of.
    """

    anonymous_ids: set[str]
    drops: list[Drop]
    warnings: list[EventWarning] = []
    visitors: int = 0


class Ingest:
    """Takes batches, and events of the collector's own; when a call returns, the kept rows are on disk.

    Args:
        journal: keeps rows until ClickHouse has them.
        metrics: counts events kept and dropped.
        accepted: called in the event loop with the rows that are on disk and were not there before. A row of which it
            does not hear, because the sender hung up or the call failed, is found in ClickHouse all the same.
        pace: bounds the events of each visitor that pages send.
        is_erased: tells whether a row is of somebody who was erased since it happened.
        faults: keeps count of drops and warnings, with examples.
    """

    def __init__(
        self,
        journal: JournalThread,
        metrics: CollectorMetrics,
        accepted: Accepted,
        pace: VisitorPace | None = None,
        is_erased: IsErased = nobody_is_erased,
        faults: FaultBook | None = None,
    ) -> None:
        self._journal = journal
        self._is_erased = is_erased
        self._metrics = metrics
        self._accepted = accepted
        self._pace = pace or VisitorPace()
        self._told = _DropLog()
        self._clocks = ClientClocks()
        self._faults = faults

    async def take(self, batch: Batch, site: Site, receipt: Receipt) -> Acknowledgement:
        """Keep the events of a batch.

        Raises:
            JournalError: nothing of it was kept; the sender must try again.
        """
        outcome = await _run_in_turns(batch, site, receipt, self._clocks)
        context = batch.context or {}
        if not receipt.is_from_server:
            self._drop_surplus(outcome, receipt.received_at, context)
        not_kept = await self._keep_rows(outcome.rows, outcome.lines, receipt.received_at, labels=outcome.labels)
        drops = outcome.drops + not_kept
        _add_sightings(outcome, not_kept, context)
        self._count(site, len(outcome.rows) - len(not_kept), drops, outcome.warnings, outcome.sightings)
        ids = {row.anonymous_id for row in outcome.rows if row.anonymous_id}
        return Acknowledgement(ids, drops, outcome.warnings, len({row.visitor_id for row in outcome.rows}))

    async def keep(self, site: Site, row: EventRow, now_ms: int) -> None:
        """Keep an event that the collector made; a repeat of a kept event is counted as a drop.

        Raises:
            JournalError: it was not kept.
        """
        not_kept = await self._keep_rows([row], [_encode(row)], now_ms, labels=[row.event_id])
        self._count(site, 1 - len(not_kept), not_kept)

    def note_unread(self, site: Site, drops: list[Drop], warnings: list[EventWarning]) -> None:
        """Count what of a request became no event before there was a message, and what of it was read in part."""
        told: list[tuple[FaultKind, Drop | EventWarning]] = [("drop", drop) for drop in drops]
        told += [("warning", warning) for warning in warnings]
        self._count(site, 0, drops, warnings, {(kind, each.reason): Sighting(each.detail) for kind, each in told})

    def forget_erased(self, is_erased: Callable[[str, str], bool]) -> None:
        """Forget the visitors who were erased, told by site and id."""
        self._pace.forget_erased(is_erased)
        self._clocks.forget_erased(is_erased)

    def _drop_surplus(self, outcome: Outcome, now_ms: int, context: Mapping[str, object]) -> None:
        """Drop the events of visitors who sent too many of late."""
        surplus = self._pace.surplus(outcome.rows, now_ms)
        if surplus:
            detail = f"one visitor may send {self._pace.per_minute} events a minute (visitor_events_per_minute)"
            outcome.drops.extend(Drop(outcome.labels[place], DropReason.TOO_FAST, detail) for place in surplus)
            event = outcome.rows[min(surplus)].event
            outcome.sightings["drop", DropReason.TOO_FAST] = Sighting(detail, event, context)
            outcome.rows[:] = [row for place, row in enumerate(outcome.rows) if place not in surplus]
            outcome.lines[:] = [line for place, line in enumerate(outcome.lines) if place not in surplus]
            outcome.labels[:] = [label for place, label in enumerate(outcome.labels) if place not in surplus]

    async def _keep_rows(
        self, rows: list[EventRow], lines: list[bytes], now_ms: int, *, labels: list[str]
    ) -> list[Drop]:
        """Keep rows, pass on the new ones, and return a drop for each of the others.

        Args:
            rows, lines: the rows, and each as JSON.
            now_ms: the instant of their receipt, epoch ms.
            labels: the id by which the sender knows each.
        """
        erased = {index for index, row in enumerate(rows) if self._is_erased(_as_told(row))}
        drops = [Drop(labels[index], DropReason.ERASED) for index in sorted(erased)]
        if erased:
            rows = [row for index, row in enumerate(rows) if index not in erased]
            lines = [line for index, line in enumerate(lines) if index not in erased]
            labels = [label for index, label in enumerate(labels) if index not in erased]
        if not rows:
            return drops
        ids = [event_key(row.site, row.visitor_id, row.event_id) for row in rows]
        repeated = set(await self._journal.append_async(EVENTS, lines, now_ms, ids))
        new = [row for index, row in enumerate(rows) if index not in repeated] if repeated else rows
        self._pass_on(new, now_ms)
        return drops + [Drop(labels[index], DropReason.DUPLICATE, _repeated(rows[index])) for index in sorted(repeated)]

    def _pass_on(self, rows: list[EventRow], now_ms: int) -> None:
        # History is no news: it starts no rule, and no page waits for it.
        if not rows or rows[0].source == "import":
            return
        try:
            self._accepted(rows, now_ms)
        except Exception as error:  # noqa: BLE001 - the rows are on disk, which the sender must be told
            _log.error("accepted_rows_not_passed_on", count=len(rows), error=type(error).__name__)

    def _count(
        self,
        site: Site,
        kept: int,
        drops: list[Drop],
        warnings: Sequence[EventWarning] = (),
        sightings: Mapping[FaultKey, Sighting] = _NO_SIGHTINGS,
    ) -> None:
        self._metrics.count_accepted(site.name, kept)
        if not drops and not warnings:
            return
        for reason, events in Counter(drop.reason for drop in drops).items():
            self._metrics.events_dropped.labels(site.name, reason).inc(events)
        for warned, events in Counter(warning.reason for warning in warnings).items():
            self._metrics.events_warned.labels(site.name, warned).inc(events)
        if self._faults is not None:
            self._faults.note(site.name, drops, warnings, sightings)
        telling = [drop for drop in drops if drop.reason is not DropReason.DUPLICATE]
        if telling:
            self._told.tell(site.name, telling)


def _add_sightings(outcome: Outcome, not_kept: Sequence[Drop], context: Mapping[str, object]) -> None:
    """Add an event for each reason for which rows were not kept."""
    for drop in not_kept:
        if ("drop", drop.reason) not in outcome.sightings:
            found = (
                row.event for row, label in zip(outcome.rows, outcome.labels, strict=True) if label == drop.message_id
            )
            outcome.sightings["drop", drop.reason] = Sighting(drop.detail, next(found, ""), context)


class _DropLog:
    """Writes drops to the log: a line for each site in ten seconds, however many there are."""

    def __init__(self) -> None:
        self._next_at: dict[str, float] = {}
        self._untold: Counter[str] = Counter()

    def tell(self, site: str, drops: list[Drop]) -> None:
        """Say that events were dropped, or count them for the next line."""
        self._untold[site] += len(drops)
        now = time.monotonic()
        if now >= self._next_at.get(site, now):
            self._next_at[site] = now + _LOG_SECONDS
            examples = [f"{drop.reason}: {without_values(drop.detail)}" for drop in drops[:_LOGGED_DROPS]]
            _log.info("events_dropped", site=site, count=self._untold.pop(site), examples=examples)


async def _run_in_turns(batch: Batch, site: Site, receipt: Receipt, clocks: ClientClocks) -> Outcome:
    """Return the outcome of a batch; between portions of it, whatever else waits has its turn."""
    portions = pipeline.run_in_portions(batch.batch, site, receipt, batch.context or {}, clocks)
    outcome = next(portions)
    for portion in portions:
        await asyncio.sleep(0)
        outcome.add(portion)
    return outcome
