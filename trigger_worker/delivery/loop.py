"""The delivery loop: messages that are due are decided on, in batches, and handed to the dispatcher."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final

from trigger_worker.deciding.decider import Decided, Decider
from trigger_worker.deciding.gate.policy_source import PolicySource
from trigger_worker.deciding.sequence.outbox import Outbox, first_batch, one_per_firing
from trigger_worker.delivery.dispatcher import Dispatcher
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.rule_versions import RuleVersions
from warehouse.errors import WarehouseError

#: Most messages that are decided on together, unless one person alone has more.
MAX_DECIDED: Final = 500
#: Most seconds between two looks at the outbox.
IDLE_INTERVAL_SECONDS: Final = 1.0


class DeliveryLoop:
    """Decides on the messages that are due and hands them over.

    Args:
        outbox: the messages that wait for their time.
        decider, dispatcher: judge and deliver messages.
        versions: the rule versions that messages were asked for by.
        policy: the policy of the gate.
        metrics: shows how many messages wait.
        clock_ms: the clock that stamps the feed, in epoch ms.
    """

    def __init__(
        self,
        *,
        outbox: Outbox,
        decider: Decider,
        dispatcher: Dispatcher,
        versions: RuleVersions,
        policy: PolicySource,
        metrics: WorkerMetrics,
        clock_ms: Callable[[], int],
    ) -> None:
        self._outbox = outbox
        self._decider = decider
        self._dispatcher = dispatcher
        self._versions = versions
        self._policy = policy
        self._metrics = metrics
        self._clock_ms = clock_ms
        self._in_hand: list[QueuedMessage] = []
        #: Set when messages were added.
        self.queued = asyncio.Event()

    def add(self, messages: Iterable[QueuedMessage]) -> None:
        """Add messages, to be decided on when they are due."""
        added = list(messages)
        self._outbox.add(added)
        if added:
            self.queued.set()
        self._metrics.outbox_depth.set(len(self._outbox))

    def message_ids(self) -> set[str]:
        """Return the ids of all messages that wait, are decided on, or are being handed over."""
        elsewhere = [*self._in_hand, *self._dispatcher.under_way()]
        return self._outbox.message_ids() | {message.message_id for message in elsewhere}

    async def step(self) -> float:
        """Send the messages that are due, and return the most seconds until another is.

        Raises:
            WarehouseError: as `send_due`.
        """
        started = time.monotonic()
        self.queued.clear()
        if not len(self._outbox):
            return IDLE_INTERVAL_SECONDS
        now_ms = await asyncio.to_thread(self._clock_ms)
        await self.send_due(now_ms)
        next_due = self._outbox.next_due
        if next_due is None:
            return IDLE_INTERVAL_SECONDS
        left = (next_due - now_ms) / 1000 - (time.monotonic() - started)
        return min(IDLE_INTERVAL_SECONDS, max(0.0, left))

    async def send_due(self, now_ms: int) -> None:
        """Decide on the messages that are due, batch by batch, and dispatch them.

        Args:
            now_ms: the instant of the decision, epoch ms.

        Raises:
            WarehouseError: the facts cannot be read; messages that were not decided on wait again.

        Cost: for each batch as `Decider.decide`.
        """
        self._in_hand = self._outbox.take_due(now_ms)
        while self._in_hand:
            turn, waiting = one_per_firing(self._in_hand, self._dispatcher.under_way())
            batch, later = first_batch(turn, MAX_DECIDED)
            if not batch:
                break
            try:
                decided = await asyncio.to_thread(self._decide, batch, now_ms)
            except Exception as error:
                # What a mistake of ours stops must not stop the others: it stays pending until the next start.
                self._in_hand = [*(batch if isinstance(error, WarehouseError) else ()), *later, *waiting]
                self._put_back()
                raise
            await self._dispatcher.dispatch(decided)
            self._in_hand = [*later, *waiting]
        self._put_back()

    def _decide(self, due: list[QueuedMessage], now_ms: int) -> list[Decided]:
        under_way = self._dispatcher.under_way()
        return self._decider.decide(due, self._versions.of(due), self._policy.policy, now_ms, under_way)

    def _put_back(self) -> None:
        self._outbox.add(self._in_hand)
        self._in_hand = []
        self._metrics.outbox_depth.set(len(self._outbox))
