"""Hands rendered messages to their channels: one attempt, recorded before it is made, and what came of it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec
import structlog

from trigger_worker.deciding.sequence.outbox import Outbox
from trigger_worker.delivery.channels.base import Channel, DeliveryPostponed, DeliveryUncertain, OutboundMessage
from trigger_worker.delivery.ledger import Ledger
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.store.messages import queue_record
from trigger_worker.store.records import MessageRecord, QueuedMessage
from warehouse.errors import DeliveryError, DeliveryUnavailable, TemplateError

FIRST_RETRY_MS: Final = 5_000
LONGEST_RETRY_MS: Final = 600_000
#: Messages of one channel that are handed over at the same time, banners apart. As many at most are in doubt after a
#: crash; a peer that hangs holds up its own channel only.
MAX_CONCURRENT: Final = 32
#: Channels whose peers know a message that comes again by its id, so that a repeat does no harm.
_KNOWS_REPEATS: Final = frozenset({"webhook", "push"})

_log = structlog.get_logger("trigger_worker.delivery.attempts")


class GiveUpReason(StrEnum):
    """Why a message was given up; each value is what the `reason` of `message_failed` holds."""

    #: Its template cannot be rendered.
    TEMPLATE = "template"
    #: The peer, or the channel itself, will never take it.
    REFUSED = "refused"
    #: Another attempt would come after its expiry.
    UNREACHABLE = "unreachable"
    #: Nobody knows whether the peer took it, and it is of a class that must not be sent twice.
    UNKNOWN_OUTCOME = "unknown_outcome"


class ReadyMessage(msgspec.Struct, frozen=True):
    """A message that may go, rendered."""

    message: QueuedMessage
    outbound: OutboundMessage


class Attempts:
    """Delivers messages, some at a time.

    Args:
        ledger: where attempts and their outcomes are stored.
        outbox: takes back what must be tried again.
        channels: by name.
        metrics: counts what is sent, put off and given up.
        now_ms: the clock, in epoch milliseconds.
    """

    def __init__(
        self,
        ledger: Ledger,
        outbox: Outbox,
        channels: Mapping[str, Channel],
        metrics: WorkerMetrics,
        now_ms: Callable[[], int],
    ) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._channels = channels
        self._metrics = metrics
        self._now_ms = now_ms
        self._limits: Mapping[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(MAX_CONCURRENT))
        self._is_stopped = False
        self._under_way: dict[asyncio.Task[None], QueuedMessage] = {}

    def start(self, ready: ReadyMessage) -> None:
        """Deliver a message as soon as it is its turn."""
        task = asyncio.create_task(self._deliver(ready), name=f"deliver {ready.message.message_id}")
        self._under_way[task] = ready.message
        task.add_done_callback(self._under_way.pop)

    def stop(self) -> None:
        """Begin no more attempts; the messages whose turn has not come stay pending."""
        self._is_stopped = True

    def under_way(self) -> list[QueuedMessage]:
        """Return what is being handed over: nobody knows yet whether it is sent."""
        return list(self._under_way.values())

    def open_tasks(self) -> set[asyncio.Task[None]]:
        """Return what is being done about messages."""
        return set(self._under_way)

    async def publish(self, ready: ReadyMessage) -> None:
        """Hand over a message that is stored as sent already: whoever is there gets it now, the others ask for it."""
        try:
            await self._send(ready.outbound, ready.message.channel)
        except DeliveryUnavailable as error:
            self._note_postponed(ready.message, error)
        except DeliveryError as error:
            await self._ledger.store_message(self.failure(ready.message, GiveUpReason.REFUSED, error))
        else:
            self._count_sent(ready.message)

    def failure(
        self, message: QueuedMessage, reason: GiveUpReason, error: DeliveryError | TemplateError, variant: str = ""
    ) -> MessageRecord:
        """Return, log and count that a message is given up."""
        _log.error(
            "message_failed",
            message_id=message.message_id,
            rule=message.rule,
            reason=reason,
            error=error.message,
            remedy=error.hint,
        )
        self._metrics.messages_failed.labels(message.rule, message.channel).inc()
        detail = {"reason": reason, "error": error.message, **outcome_detail(message, variant)}
        return MessageRecord(message, "failed", message.next_row_at(self._now_ms()), detail=detail)

    async def _deliver(self, ready: ReadyMessage) -> None:
        async with self._limits[ready.message.channel]:
            if self._is_stopped:
                return
            message = self._begun(ready.message)
            if not await self._ledger.store_message(queue_record(message)):
                return
            record = await self._try(message, ready.outbound)
            await self._ledger.store_message(record)
        if record.state == "pending":
            self._outbox.add([record.message])

    def _begun(self, message: QueuedMessage) -> QueuedMessage:
        at = message.next_row_at(self._now_ms())
        return msgspec.structs.replace(message, attempts=message.attempts + 1, is_tried=True, recorded_at=at)

    async def _try(self, message: QueuedMessage, outbound: OutboundMessage) -> MessageRecord:
        """Make one attempt, and return what to record of it."""
        try:
            await self._send(outbound, message.channel)
        except DeliveryUncertain as error:
            if not may_repeat(message):
                return self.failure(message, GiveUpReason.UNKNOWN_OUTCOME, error, outbound.variant)
            return self._later(message, error, outbound.variant)
        except DeliveryUnavailable as error:
            return self._later(message, error, outbound.variant)
        except DeliveryError as error:
            return self.failure(message, GiveUpReason.REFUSED, error, outbound.variant)
        self._count_sent(message)
        at = message.next_row_at(self._now_ms())
        return MessageRecord(message, "sent", at, detail=outcome_detail(message, outbound.variant))

    async def _send(self, outbound: OutboundMessage, name: str) -> None:
        channel = self._channels.get(name)
        if channel is None:
            raise DeliveryError(f"the channel {name} is not configured")
        try:
            await channel.send(outbound)
        except DeliveryError:
            raise
        except Exception as error:
            # A mistake of ours: the message must not stay in doubt for ever because of it.
            _log.exception("channel_failed", channel=name, message_id=outbound.message_id)
            raise DeliveryUncertain(f"{name}: {error!r}") from error

    def _later(self, message: QueuedMessage, error: DeliveryUnavailable, variant: str) -> MessageRecord:
        self._note_postponed(message, error)
        now_ms = self._now_ms()
        due_at = now_ms + retry_wait_ms(message.attempts, error)
        if due_at >= message.expires_at:
            return self.failure(message, GiveUpReason.UNREACHABLE, error, variant)
        at = message.next_row_at(now_ms)
        return queue_record(msgspec.structs.replace(message, due_at=due_at, is_tried=False, recorded_at=at))

    def _note_postponed(self, message: QueuedMessage, error: DeliveryUnavailable) -> None:
        self._metrics.deliveries_postponed.labels(message.channel).inc()
        _log.warning(
            "delivery_postponed", message_id=message.message_id, error=error.message, attempts=message.attempts
        )

    def _count_sent(self, message: QueuedMessage) -> None:
        self._metrics.messages_sent.labels(message.rule, message.channel).inc()


def may_repeat(message: QueuedMessage) -> bool:
    """Tell whether a message may be handed over again when nobody knows whether the peer took it.

    Marketing goes out at most once, transactional messages at least once; where the peer knows a repeat by its id,
    either is exactly once.
    """
    return message.message_class == "transactional" or message.channel in _KNOWS_REPEATS


def outcome_detail(message: QueuedMessage, variant: str) -> dict[str, Any]:
    """Return what the row of an outcome says beside its state."""
    return {"attempts": message.attempts, **({"variant": variant} if variant else {})}


def retry_wait_ms(attempts: int, error: DeliveryUnavailable) -> int:
    """Return milliseconds until the next attempt: doubling from 5 s to 10 min, or as long as the peer asked.

    Args:
        attempts: made so far, at least 1.
        error: of the last one.
    """
    wait = min(FIRST_RETRY_MS << (attempts - 1), LONGEST_RETRY_MS)
    asked = error.retry_after_s if isinstance(error, DeliveryPostponed) else None
    return max(wait, int(asked * 1000)) if asked is not None else wait
