"""Carries out the gate's verdicts: stores them, renders the messages that may be sent, and starts their delivery."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
import structlog

from trigger_worker.deciding.decider import Decided
from trigger_worker.deciding.sequence.outbox import Outbox
from trigger_worker.delivery.attempts import Attempts, GiveUpReason, outcome_detail
from trigger_worker.delivery.channels.base import Channel
from trigger_worker.delivery.content.banner import BannerContent, banner_payload
from trigger_worker.delivery.ledger import Ledger
from trigger_worker.delivery.renderer import ReadyMessage, Rendered, Renderer
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.store.decisions import DecisionRecord, Reason
from trigger_worker.store.fires import Fire
from trigger_worker.store.message import MessageRecord, QueuedMessage
from trigger_worker.store.message_event import Occurrence
from trigger_worker.store.queue import queue_record
from trigger_worker.store.row_log import WorkerRows
from warehouse.errors import DeliveryError, JournalError

_log = structlog.get_logger("trigger_worker.delivery.dispatcher")


class Dispatcher:
    """Carries out the gate's verdicts.

    Args:
        ledger: stores firings, verdicts and states of messages.
        outbox: takes back the messages that are deferred or must be tried again.
        renderer: renders messages.
        channels: the configured channels, by name.
        metrics: counts verdicts and outcomes.
        now_ms: returns the present, in epoch ms.
        may_send: tells whether this worker is still the one that sends; asked right before each message.
    """

    def __init__(
        self,
        ledger: Ledger,
        outbox: Outbox,
        renderer: Renderer,
        channels: Mapping[str, Channel],
        metrics: WorkerMetrics,
        now_ms: Callable[[], int],
        may_send: Callable[[], bool] = lambda: True,
    ) -> None:
        self._ledger = ledger
        self._attempts = Attempts(ledger, outbox, channels, metrics, now_ms, may_send)
        self._outbox = outbox
        self._renderer = renderer
        self._metrics = metrics
        self._now_ms = now_ms

    async def dispatch(
        self, decided: Sequence[Decided], fires: Sequence[Fire] = (), queued: Sequence[QueuedMessage] = ()
    ) -> None:
        """Carry out verdicts, in their order.

        Every verdict is durable before any message is sent, together with the firing that asked for it. A banner counts
        as sent once it is stored, because every page of the person can ask for it from then on. For other messages the
        attempt is stored before it is made.

        Args:
            decided: the verdicts.
            fires: firings to store with them.
            queued: the messages of these firings, to be stored as pending.

        Raises:
            JournalError: nothing was stored, and no message is sent.
        """
        now_ms = self._now_ms()
        rendered = self._renderer.attempt([one for one in decided if one.verdict.decision == "send"], now_ms)
        waiting = {id(one) for one, _ in rendered.waiting}
        settled = [one for one in decided if id(one) not in waiting]
        await self._carry_out(settled, rendered, now_ms, fires, queued)
        if rendered.waiting:
            await self._dispatch_late([one for one, _ in rendered.waiting], rendered, now_ms)

    async def _dispatch_late(self, decided: Sequence[Decided], rendered: Rendered, now_ms: int) -> None:
        """Carry out the verdicts on messages whose facts have to be read first; they are stored as pending."""
        late = await self._renderer.render(rendered.waiting, now_ms)
        try:
            await self._carry_out(decided, late, self._now_ms(), (), ())
        except JournalError as error:
            _log.error("verdicts_not_recorded", count=len(decided), error=error.message, remedy=error.hint)
            self._outbox.add(one.message for one in decided)

    async def _carry_out(
        self,
        decided: Sequence[Decided],
        rendered: Rendered,
        now_ms: int,
        fires: Sequence[Fire],
        queued: Sequence[QueuedMessage],
    ) -> None:
        banners, others = _split(rendered.ready)
        deferred = [_deferred(one, now_ms) for one in decided if one.verdict.decision == "defer"]
        failures = [
            self._attempts.failure(one.message, GiveUpReason.TEMPLATE, why, one.arm) for one, why in rendered.failed
        ]
        messages = [
            *map(queue_record, queued),
            *failures,
            *(_sent_banner(one, content, now_ms) for one, content in banners),
            *map(queue_record, deferred),
            *(_cancelled(one, now_ms) for one in decided if one.verdict.decision == "drop"),
        ]
        decisions = [self._decision(one, now_ms) for one in decided]
        await self._ledger.store(WorkerRows(messages, decisions, fires))
        self._outbox.add(deferred)
        for one in others:
            self._attempts.start(one)
        for banner, _ in banners:
            await self._attempts.publish(banner)

    async def take_over(self, in_doubt: Iterable[QueuedMessage], untold: Iterable[Occurrence]) -> None:
        """Settle the messages that an earlier process left unfinished.

        Args:
            in_doubt: messages that it may have sent and that must not be sent twice; they are recorded as failed.
            untold: states that it stored without storing their event.

        Raises:
            JournalError: it cannot be recorded just now.
        """
        await self._ledger.announce(untold)
        unknown = DeliveryError("the worker ended before it could record whether the message was taken")
        failures = [self._attempts.failure(message, GiveUpReason.UNKNOWN_OUTCOME, unknown) for message in in_doubt]
        if failures:
            await self._ledger.store(WorkerRows(failures))

    def under_way(self) -> list[QueuedMessage]:
        """Return the messages that are being delivered, whose outcome is not known yet."""
        return self._attempts.under_way()

    async def stop(self, within_seconds: float) -> None:
        """Begin no more attempts, and wait for the open ones: an attempt that is cut off leaves its message in doubt.

        Args:
            within_seconds: the longest time to wait.
        """
        self._attempts.stop()
        await self.settle(within_seconds)

    async def settle(self, within_seconds: float) -> None:
        """Wait until all messages are delivered and recorded.

        Args:
            within_seconds: the longest time to wait; what takes longer is left to the next worker.
        """
        until = time.monotonic() + within_seconds
        while (tasks := self._open_tasks()) and time.monotonic() < until:
            await asyncio.wait(tasks, timeout=until - time.monotonic())

    def _open_tasks(self) -> set[asyncio.Task[None]]:
        return self._attempts.open_tasks() | self._renderer.open_tasks()

    def _decision(self, one: Decided, now_ms: int) -> DecisionRecord:
        verdict = one.verdict
        self._metrics.decisions_of(verdict.decision, verdict.reason).inc()
        return DecisionRecord(one.message, verdict.decision, verdict.reason, dict(verdict.detail), now_ms, one.arm)


def _split(ready: Sequence[ReadyMessage]) -> tuple[list[tuple[ReadyMessage, BannerContent]], list[ReadyMessage]]:
    """Return banners, which are published at once, and the other messages, whose peers may take their time."""
    banners = [(one, content) for one in ready if isinstance(content := one.outbound.content, BannerContent)]
    return banners, [one for one in ready if not isinstance(one.outbound.content, BannerContent)]


def _sent_banner(one: ReadyMessage, content: BannerContent, now_ms: int) -> MessageRecord:
    message, outbound = msgspec.structs.replace(one.message, attempts=one.message.attempts + 1), one.outbound
    at, detail = message.next_row_at(now_ms), outcome_detail(message, outbound.variant)
    payload = banner_payload(content, outbound.envelope()).decode()
    return MessageRecord(message, "sent", at, outbound.recipients, payload, detail)


def _cancelled(one: Decided, now_ms: int) -> MessageRecord:
    at = one.message.next_row_at(now_ms)
    return MessageRecord(one.message, "cancelled", at, detail={"reason": one.verdict.reason})


def _deferred(one: Decided, now_ms: int) -> QueuedMessage:
    """Return a message with its later time; one that waits for its time of day keeps its lifetime from then on."""
    message, due_at = one.message, one.verdict.until_ms or now_ms
    lives_on = due_at - message.due_at if one.verdict.reason is Reason.SCHEDULED else 0
    return msgspec.structs.replace(
        message, due_at=due_at, expires_at=message.expires_at + lives_on, recorded_at=message.next_row_at(now_ms)
    )
