"""Carries out verdicts: renders, records before it tries, hands over, records what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

import msgspec
import stamina
import structlog

from trigger_worker.banner_payload import banner_payload
from trigger_worker.channels.base import Channel, DeliveryPostponed, OutboundMessage
from trigger_worker.content.context import RenderContext, RuleContext, SiteContext
from trigger_worker.content.model import BannerContent
from trigger_worker.content.templates import TemplateFolder
from trigger_worker.decider import Decided
from trigger_worker.gate.verdict import Reason
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.outbox import Outbox
from trigger_worker.reading.outgoing import queue_record
from trigger_worker.records import DecisionRecord, MessageRecord, QueuedMessage, Records
from warehouse.errors import DeliveryError, DeliveryUnavailable, TemplateError, WarehouseError

T = TypeVar("T")

FIRST_RETRY_MS: Final = 5_000
LONGEST_RETRY_MS: Final = 600_000
#: Messages that are handed over at the same time, banners apart.
MAX_CONCURRENT: Final = 16

_log = structlog.get_logger("trigger_worker.dispatcher")


class _Ready(msgspec.Struct, frozen=True):
    """A message that may go, rendered."""

    message: QueuedMessage
    outbound: OutboundMessage


class Dispatcher:
    """Delivers what the gate lets through.

    Args:
        records: where verdicts and states are stored.
        outbox: takes back what must be tried again.
        templates: turns facts into content.
        channels: by name.
        site_urls: by site, what relative addresses in emails are resolved against.
        metrics: counts verdicts and failures.
        now_ms: the clock, in epoch milliseconds.
    """

    def __init__(
        self,
        records: Records,
        outbox: Outbox,
        templates: TemplateFolder,
        channels: Mapping[str, Channel],
        site_urls: Mapping[str, str],
        metrics: WorkerMetrics,
        now_ms: Callable[[], int],
    ) -> None:
        self._records = records
        self._outbox = outbox
        self._templates = templates
        self._channels = channels
        self._site_urls = site_urls
        self._metrics = metrics
        self._now_ms = now_ms
        self._limit = asyncio.Semaphore(MAX_CONCURRENT)
        self._under_way: dict[asyncio.Task[None], QueuedMessage] = {}

    async def dispatch(self, decided: Sequence[Decided]) -> None:
        """Carry out verdicts, in their order.

        Every verdict is stored before anything is sent. A banner counts as sent once it is stored, because any page
        of the visitor's may then ask for it; of other messages the attempt is stored before it is made.
        """
        now_ms = self._now_ms()
        ready, failed = self._render([one for one in decided if one.verdict.verdict == "send"])
        deferred = [_deferred(one, now_ms) for one in decided if one.verdict.verdict == "defer"]
        before = [self._before(one, now_ms) for one in ready]
        before += [queue_record(message, now_ms) for message in deferred]
        before += [
            MessageRecord(one.message, "cancelled", now_ms, detail={"reason": one.verdict.reason})
            for one in decided
            if one.verdict.verdict == "drop"
        ]
        await self._keep(self._records.store_decisions, [self._decision(one, now_ms) for one in decided])
        await self._keep(self._records.store_messages, before + failed)
        self._outbox.add(deferred)
        await self._hand_over(ready)

    def under_way(self) -> list[QueuedMessage]:
        """Return what is being handed over: nobody knows yet whether it is sent."""
        return list(self._under_way.values())

    async def settle(self, within_seconds: float) -> None:
        """Wait for what is being handed over; what takes longer is tried again by the next worker."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=within_seconds)

    def _render(self, sending: Iterable[Decided]) -> tuple[list[_Ready], list[MessageRecord]]:
        ready: list[_Ready] = []
        failed: list[MessageRecord] = []
        for one in sending:
            try:
                ready.append(_Ready(one.message, self._outbound(one)))
            except TemplateError as error:
                failed.append(self._failure(one.message, error))
        return ready, failed

    def _outbound(self, one: Decided) -> OutboundMessage:
        message = one.message
        context = RenderContext(
            visitor=one.profile.visitor,
            site=SiteContext(name=message.site, url=self._site_urls.get(message.site, "")),
            rule=RuleContext(message.rule, one.arm),
            cart=one.profile.cart,
            event=message.event,
            product=message.event,
            order=one.profile.order,
        )
        return OutboundMessage(
            message_id=message.message_id,
            site=message.site,
            rule=message.rule,
            visitor_id=message.visitor_id,
            recipients=one.recipients,
            content=self._templates.render(message.channel, message.template, context),
            expires_at_ms=message.expires_at,
            variant=one.arm,
        )

    def _before(self, one: _Ready, now_ms: int) -> MessageRecord:
        if isinstance(one.outbound.content, BannerContent):
            payload = banner_payload(one.outbound).decode()
            return MessageRecord(one.message, "sent", now_ms, one.outbound.recipients, payload)
        return queue_record(_attempted(one.message), now_ms)

    async def _hand_over(self, ready: Sequence[_Ready]) -> None:
        """Publish banners at once; a mail server may take its time without holding them up."""
        await asyncio.gather(*(self._deliver(one) for one in ready if _is_banner(one)))
        for one in ready:
            if not _is_banner(one):
                task = asyncio.create_task(self._deliver_in_turn(one), name=f"deliver {one.message.message_id}")
                self._under_way[task] = one.message
                task.add_done_callback(self._under_way.pop)

    async def _deliver_in_turn(self, one: _Ready) -> None:
        async with self._limit:
            await self._deliver(one)

    async def _deliver(self, one: _Ready) -> None:
        record = await self._try(one)
        if record is None:
            return
        await self._keep(self._records.store_messages, [record])
        if record.state == "pending":
            self._outbox.add([record.message])

    async def _keep(self, store: Callable[[list[T]], None], rows: list[T]) -> None:
        """Store rows, however long ClickHouse takes: a verdict or an attempt that is forgotten could be repeated."""
        endless = stamina.retry_context(on=WarehouseError, attempts=None, timeout=None, wait_max=5.0)
        async for attempt in endless:
            with attempt:
                await asyncio.to_thread(store, rows)

    async def _try(self, one: _Ready) -> MessageRecord | None:
        """Hand one message over, and return what to record; None of a banner, which is recorded already."""
        channel = self._channels.get(one.message.channel)
        try:
            if channel is None:
                raise DeliveryError(f"the channel {one.message.channel} is not configured")
            await channel.send(one.outbound)
        except DeliveryUnavailable as error:
            return self._try_later(one, error)
        except DeliveryError as error:
            return self._failure(one.message, error)
        self._metrics.messages_sent.labels(one.message.rule, one.message.channel).inc()
        if _is_banner(one):
            return None
        return MessageRecord(one.message, "sent", self._now_ms(), detail={"attempts": one.message.attempts + 1})

    def _try_later(self, one: _Ready, error: DeliveryUnavailable) -> MessageRecord | None:
        message = _attempted(one.message)
        self._metrics.deliveries_postponed.labels(message.channel).inc()
        _log.warning(
            "delivery_postponed", message_id=message.message_id, error=error.message, attempts=message.attempts
        )
        if _is_banner(one):
            # The bus is away. The banner is stored: pages get it when their stream connects again.
            return None
        due_at = self._now_ms() + retry_wait_ms(message.attempts, error)
        if due_at >= message.expires_at:
            return self._failure(one.message, error)
        return queue_record(_at(message, due_at), self._now_ms())

    def _failure(self, message: QueuedMessage, error: DeliveryError | TemplateError) -> MessageRecord:
        _log.error(
            "message_failed", message_id=message.message_id, rule=message.rule, error=error.message, remedy=error.hint
        )
        self._metrics.messages_failed.labels(message.rule, message.channel).inc()
        detail = {"error": error.message, "attempts": message.attempts + 1}
        return MessageRecord(message, "failed", self._now_ms(), detail=detail)

    def _decision(self, one: Decided, now_ms: int) -> DecisionRecord:
        verdict = one.verdict
        self._metrics.decisions.labels(verdict.verdict, verdict.reason).inc()
        return DecisionRecord(one.message, verdict.verdict, verdict.reason, dict(verdict.detail), now_ms, one.arm)


def _is_banner(one: _Ready) -> bool:
    return isinstance(one.outbound.content, BannerContent)


def retry_wait_ms(attempts: int, error: DeliveryUnavailable) -> int:
    """Return milliseconds until the next attempt: doubling from 5 s to 10 min, or as long as the peer asked.

    Args:
        attempts: made so far, at least 1.
        error: of the last one.
    """
    wait = min(FIRST_RETRY_MS << (attempts - 1), LONGEST_RETRY_MS)
    asked = error.retry_after_s if isinstance(error, DeliveryPostponed) else None
    return max(wait, int(asked * 1000)) if asked is not None else wait


def _deferred(one: Decided, now_ms: int) -> QueuedMessage:
    """Return a message with its later time; one that waits for its time of day lives on from then."""
    message = _at(one.message, one.verdict.until_ms or now_ms)
    if one.verdict.reason is not Reason.SCHEDULED:
        return message
    return msgspec.structs.replace(message, expires_at=message.expires_at + message.due_at - one.message.due_at)


def _at(message: QueuedMessage, due_at: int) -> QueuedMessage:
    return msgspec.structs.replace(message, due_at=due_at)


def _attempted(message: QueuedMessage) -> QueuedMessage:
    return msgspec.structs.replace(message, attempts=message.attempts + 1)
