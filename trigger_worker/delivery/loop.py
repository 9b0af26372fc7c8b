"""From messages that are due to messages on their way: whose turn it is, what the gate says, and off they go."""

from __future__ import annotations

import asyncio
from typing import Final

from trigger_worker.deciding.decider import Decided, Decider
from trigger_worker.deciding.gate.policy_source import PolicySource
from trigger_worker.deciding.sequence.outbox import Outbox, first_batch, one_per_firing
from trigger_worker.deciding.sequence.rule_versions import RuleVersions
from trigger_worker.delivery.dispatcher import Dispatcher
from trigger_worker.store.records import QueuedMessage
from warehouse.errors import WarehouseError

#: Messages that are decided on together.
MAX_DECIDED: Final = 500


class Sender:
    """Decides on what is due and hands it over.

    Args:
        outbox: messages that wait for their time.
        decider, dispatcher: judge and deliver them.
        versions: the rules that they go by.
        policy: what holds for all of them.
    """

    def __init__(
        self,
        *,
        outbox: Outbox,
        decider: Decider,
        dispatcher: Dispatcher,
        versions: RuleVersions,
        policy: PolicySource,
    ) -> None:
        self._outbox = outbox
        self._decider = decider
        self._dispatcher = dispatcher
        self._versions = versions
        self._policy = policy
        self._in_hand: list[QueuedMessage] = []

    def message_ids(self) -> set[str]:
        """Return the ids of all messages that wait, are decided on, or are being handed over."""
        elsewhere = [*self._in_hand, *self._dispatcher.under_way()]
        return self._outbox.message_ids() | {message.message_id for message in elsewhere}

    async def send_due(self, now_ms: int) -> None:
        """Decide on all that is due, portion by portion, and dispatch it.

        Args:
            now_ms: epoch milliseconds.

        Raises:
            WarehouseError: the facts cannot be read; what is not decided on waits again.
        """
        self._in_hand = self._outbox.take_due(now_ms)
        while self._in_hand:
            turn, waiting = one_per_firing(self._in_hand, self._dispatcher.under_way())
            portion, later = first_batch(turn, MAX_DECIDED)
            if not portion:
                break
            try:
                decided = await asyncio.to_thread(self._decide, portion, now_ms)
            except Exception as error:
                # What a mistake of ours stops must not stop the others: it stays pending until the next start.
                self._in_hand = [*(portion if isinstance(error, WarehouseError) else ()), *later, *waiting]
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
