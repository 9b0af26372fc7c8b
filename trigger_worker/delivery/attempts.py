"""Makes attempts to deliver messages: records each attempt, hands the message to its channel, records the outcome."""

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
from trigger_worker.delivery.renderer import ReadyMessage
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.store.message import MessageRecord, QueuedMessage
from trigger_worker.store.queue import queue_record
from warehouse.channel_traits import CHANNEL_TRAITS
from warehouse.errors import DeliveryError, DeliveryUnavailable, JournalError, TemplateError

#: The wait after the first failed attempt, which doubles with each further one, and the longest wait, in ms.
FIRST_RETRY_MS: Final = 5_000
LONGEST_RETRY_MS: Final = 600_000
#: Most attempts of one channel that are made at the same time, published banners not counted. It bounds the messages in
#: doubt after a crash; a peer that hangs holds up its own channel only.
MAX_CONCURRENT: Final = 32
#: Channels whose peers recognise a repeated message by its id, so that a repeat does no harm.
_KNOWS_REPEATS: Final = frozenset(name for name, traits in CHANNEL_TRAITS.items() if traits.knows_repeats)

_log = structlog.get_logger("trigger_worker.delivery.attempts")


class GiveUpReason(StrEnum):
    """The reasons for giving up a message, as the property `reason` of the event `message_failed` has them."""

    #: The template cannot be rendered.
    TEMPLATE = "template"
    #: The peer, or the channel itself, will never take the message.
    REFUSED = "refused"
    #: Another attempt would come after the message has expired.
    UNREACHABLE = "unreachable"
    #: It is unknown whether the peer took the message, and the message must not be sent twice.
    UNKNOWN_OUTCOME = "unknown_outcome"


class Attempts:
    """Delivers messages, a bounded number per channel at a time.

    Args:
        ledger: stores attempts and their outcomes.
        outbox: takes back the messages that must be tried again.
        channels: the configured channels, by name.
        metrics: counts messages that are sent, postponed and given up.
        now_ms: returns the present, in epoch ms.
        may_send: tells whether this worker is still the one that sends; asked right before each message.
    """

    def __init__(
        self,
        ledger: Ledger,
        outbox: Outbox,
        channels: Mapping[str, Channel],
        metrics: WorkerMetrics,
        now_ms: Callable[[], int],
        may_send: Callable[[], bool],
    ) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._channels = channels
        self._metrics = metrics
        self._now_ms = now_ms
        self._may_send = may_send
        self._limits: Mapping[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(MAX_CONCURRENT))
        self._is_stopped = False
        self._under_way: dict[asyncio.Task[None], QueuedMessage] = {}

    def start(self, ready: ReadyMessage) -> None:
        """Deliver a message in a task of its own, once its channel has a slot free."""
        task = asyncio.create_task(self._deliver(ready), name=f"deliver {ready.message.message_id}")
        self._under_way[task] = ready.message
        task.add_done_callback(self._under_way.pop)

    def stop(self) -> None:
        """Begin no more attempts; messages without one stay pending."""
        self._is_stopped = True

    def under_way(self) -> list[QueuedMessage]:
        """Return the messages that are being delivered, whose outcome is not known yet."""
        return list(self._under_way.values())

    def open_tasks(self) -> set[asyncio.Task[None]]:
        """Return the tasks that deliver messages."""
        return set(self._under_way)

    async def publish(self, ready: ReadyMessage) -> None:
        """Publish a banner that is stored as sent: open pages get it now, other pages ask for it when they open."""
        if not self._may_send():
            return
        try:
            await self._send(ready.outbound, ready.message.channel)
        except DeliveryUnavailable as error:
            self._note_postponed(ready.message, error)
        except DeliveryError as error:
            await self._ledger.store_outcome(self.failure(ready.message, GiveUpReason.REFUSED, error))
        else:
            self._count_sent(ready.message)

    def failure(
        self, message: QueuedMessage, reason: GiveUpReason, error: DeliveryError | TemplateError, variant: str = ""
    ) -> MessageRecord:
        """Log and count that a message is given up, and return the record to store.

        Args:
            message: the message.
            reason: why it is given up.
            error: the error of the last attempt, or of the template.
            variant: the arm of the experiment; '' without one or where it is unknown.
        """
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
            if self._is_stopped or not self._may_send():
                return
            message = self._with_attempt(ready.message)
            try:
                await self._ledger.store_attempt(queue_record(message))
            except JournalError as error:
                self._put_off(ready.message, error)
                return
            # Storing takes its time, in which another worker may have become the one that sends: what it finds is an
            # attempt in doubt, which it settles by the class of the message. A row of ours could only contradict it.
            if not self._may_send():
                return
            record = await self._try_in_time(message, ready)
            await self._ledger.store_outcome(record)
        if record.state == "pending":
            self._outbox.add([record.message])

    def _put_off(self, message: QueuedMessage, error: JournalError) -> None:
        """Try a message again in a while whose attempt could not be recorded, and so was not made."""
        _log.error("attempt_not_recorded", message_id=message.message_id, error=error.message, remedy=error.hint)
        self._outbox.add([msgspec.structs.replace(message, due_at=self._now_ms() + FIRST_RETRY_MS)])

    def _with_attempt(self, message: QueuedMessage) -> QueuedMessage:
        at = message.next_row_at(self._now_ms())
        return msgspec.structs.replace(message, attempts=message.attempts + 1, is_tried=True, recorded_at=at)

    async def _try_in_time(self, message: QueuedMessage, ready: ReadyMessage) -> MessageRecord:
        """Make one attempt, unless the message expired while that was stored; return the record of the outcome."""
        outbound = ready.outbound
        if self._now_ms() < message.expires_at:
            record = await self._try(message, outbound)
            # Only now is it known that the addresses were written to.
            return msgspec.structs.replace(record, addresses=ready.addresses) if record.state == "sent" else record
        late = DeliveryError("the message expired while its attempt waited for ClickHouse", "bring ClickHouse back")
        return self.failure(message, GiveUpReason.UNREACHABLE, late, outbound.variant)

    async def _try(self, message: QueuedMessage, outbound: OutboundMessage) -> MessageRecord:
        """Make one attempt, and return the record of its outcome."""
        try:
            await self._send(outbound, message.channel)
        except DeliveryUncertain as error:
            if not may_repeat(message):
                return self.failure(message, GiveUpReason.UNKNOWN_OUTCOME, error, outbound.variant)
            return self._retry(message, error, outbound.variant)
        except DeliveryUnavailable as error:
            return self._retry(message, error, outbound.variant)
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
            # A bug in the channel must not leave the message in doubt for ever.
            _log.exception("channel_failed", channel=name, message_id=outbound.message_id)
            raise DeliveryUncertain(f"{name}: {error!r}") from error

    def _retry(self, message: QueuedMessage, error: DeliveryUnavailable, variant: str) -> MessageRecord:
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
        self._metrics.messages_sent_of(message.rule, message.channel).inc()


def may_repeat(message: QueuedMessage) -> bool:
    """Tell whether a message may be sent again when it is unknown whether the peer took it.

    Marketing is sent at most once and transactional messages at least once. Where the peer recognises a repeat by its
    id, messages of both classes are sent exactly once.
    """
    return message.message_class == "transactional" or message.channel in _KNOWS_REPEATS


def outcome_detail(message: QueuedMessage, variant: str) -> dict[str, Any]:
    """Return the detail of a row that records the outcome of an attempt."""
    return {"attempts": message.attempts, **({"variant": variant} if variant else {})}


def retry_wait_ms(attempts: int, error: DeliveryUnavailable) -> int:
    """Return the wait until the next attempt, in ms: doubling from 5 s to 10 min, or longer where the peer asks for it.

    Args:
        attempts: the number of attempts so far, at least 1.
        error: the error of the last attempt.
    """
    wait = min(FIRST_RETRY_MS << (attempts - 1), LONGEST_RETRY_MS)
    asked_s = error.retry_after_s if isinstance(error, DeliveryPostponed) else None
    return wait if asked_s is None else max(wait, int(asked_s * 1000))
