"""The delivery loop: messages that are due are decided on and handed over, those of new firings at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from trigger_worker.deciding.decider import Decided, Decider
from trigger_worker.deciding.gate.policy_source import PolicySource
from trigger_worker.deciding.rule_verdicts import rule_verdict_needs
from trigger_worker.deciding.sequence.hourly_messages import HOUR_MS, OUTBOUND_CHANNELS
from trigger_worker.deciding.sequence.outbox import Outbox, first_batch, one_per_firing
from trigger_worker.delivery.dispatcher import Dispatcher
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.people.address_book import AddressSource
from trigger_worker.people.source import PeopleSource
from trigger_worker.people.state import PersonState
from trigger_worker.rules.evaluate.compiled_rule import CompiledRule
from trigger_worker.store.decisions import Version
from trigger_worker.store.fires import Fire
from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.people import Visitor
from trigger_worker.store.rule_versions import RuleVersions
from trigger_worker.store.sent import read_sent_lately
from warehouse.address_ledger import AddressKey
from warehouse.errors import JournalError, WarehouseError
from warehouse.queries import Queries
from warehouse.threads import Threads

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
        people: the people whom messages go to.
        addresses: the addresses that they go to.
        metrics: shows how many messages wait.
        now_ms: returns the present, in epoch ms.
    """

    def __init__(  # noqa: PLR0913 - every collaborator is named here, once
        self,
        *,
        outbox: Outbox,
        decider: Decider,
        dispatcher: Dispatcher,
        versions: RuleVersions,
        policy: PolicySource,
        people: PeopleSource,
        addresses: AddressSource,
        metrics: WorkerMetrics,
        now_ms: Callable[[], int],
    ) -> None:
        self._outbox = outbox
        self._decider = decider
        self._dispatcher = dispatcher
        self._versions = versions
        self._policy = policy
        self._people = people
        self._addresses = addresses
        self._metrics = metrics
        self._now_ms = now_ms
        self._threads = Threads("delivery", 2)
        self._in_hand: list[QueuedMessage] = []
        #: Decided on, and not yet handed over, by id.
        self._claimed: dict[str, QueuedMessage] = {}
        #: Set when messages were added.
        self.queued = asyncio.Event()

    def close(self) -> None:
        """End the threads."""
        self._threads.close()
        self._addresses.close()

    def add(self, messages: Iterable[QueuedMessage]) -> None:
        """Add messages, to be decided on when they are due."""
        added = list(messages)
        self._outbox.add(added)
        if added:
            self.queued.set()
        self._metrics.outbox_depth.set(len(self._outbox))

    def load_hour(self, queries: Queries) -> None:
        """Count the messages that an earlier worker sent within the last hour.

        Raises:
            WarehouseError: they cannot be read.

        Cost: as `read_sent_lately`.
        """
        self._decider.hourly.load(read_sent_lately(queries, OUTBOUND_CHANNELS, self._now_ms() - HOUR_MS))

    def message_ids(self) -> set[str]:
        """Return the ids of all messages that wait, are decided on, or are being handed over."""
        elsewhere = [*self._in_hand, *self._under_way()]
        return self._outbox.message_ids() | {message.message_id for message in elsewhere}

    def forget_erased(self, is_erased: Callable[[str, str], bool]) -> None:
        """Forget the messages to people who were erased; what is being handed over just now is not recorded."""
        self._outbox.forget_erased(is_erased)
        self._in_hand = [
            message for message in self._in_hand if not is_erased(message.visitor.site, message.visitor.visitor_id)
        ]
        self._metrics.outbox_depth.set(len(self._outbox))

    def decide_at_once(
        self,
        queued: Sequence[QueuedMessage],
        people: Mapping[Visitor, PersonState],
        rules: Mapping[Version, CompiledRule],
        now_ms: int,
    ) -> list[Decided]:
        """Return verdicts on those messages of new firings that can go out now; `deliver` carries them out.

        Messages to addresses that have to be read first are left to `send_due`, which reads many at once.

        Args:
            queued: the messages of the firings.
            people: the person behind each of their visitors.
            rules: the rules that fired, by version.
            now_ms: epoch ms.
        """
        due = [message for message in queued if message.due_at <= now_ms]
        if not due or self._decider.posteriors.missing((compiled.rule for compiled in rules.values()), now_ms):
            return []
        turn, _ = one_per_firing(due, self._under_way())
        addresses = self._decider.addresses_of(turn, people, now_ms)
        outdated = set(self._addresses.book.outdated((key for keys in addresses.values() for key in keys), now_ms))
        at_hand = [message for message in turn if outdated.isdisjoint(addresses.get(message.message_id, ()))]
        return self._decide(at_hand, people, rules, now_ms)

    async def deliver(
        self, decided: Sequence[Decided], fires: Sequence[Fire] = (), queued: Sequence[QueuedMessage] = ()
    ) -> None:
        """Carry out verdicts; store firings with them, and let the other messages of the firings wait for their time.

        Args:
            decided: the verdicts.
            fires: firings that are to be stored.
            queued: all messages of these firings.

        Raises:
            JournalError: nothing was stored, and nothing is sent.
        """
        try:
            await self._dispatcher.dispatch(decided, fires, queued)
        finally:
            for one in decided:
                self._claimed.pop(one.message.message_id, None)
        decided_ids = {one.message.message_id for one in decided}
        self.add(message for message in queued if message.message_id not in decided_ids)

    async def step(self) -> float:
        """Send the messages that are due, and return the most seconds until another is.

        Raises:
            WarehouseError, JournalError: as `send_due`.
        """
        started = time.monotonic()
        self.queued.clear()
        if not len(self._outbox):
            self._decider.hourly.show(self._now_ms())
            return IDLE_INTERVAL_SECONDS
        now_ms = self._now_ms()
        self._decider.hourly.show(now_ms)
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
            JournalError: the verdicts cannot be stored; the messages wait again.

        Cost: nothing for people and addresses in memory; others are read, as `read_people` and `read_addresses` say.
        """
        self._in_hand = self._outbox.take_due(now_ms)
        while self._in_hand:
            turn, waiting = one_per_firing(self._in_hand, self._under_way())
            batch, later = first_batch(turn, MAX_DECIDED)
            if not batch:
                break
            try:
                await self._send(batch, now_ms)
            except Exception as error:
                # What a mistake of ours stops must not stop the others: it stays pending until the next start.
                again = batch if isinstance(error, WarehouseError | JournalError) else ()
                self._in_hand = [*again, *later, *waiting]
                self._put_back()
                raise
            self._in_hand = [*later, *waiting]
        self._put_back()

    async def _send(self, batch: Sequence[QueuedMessage], now_ms: int) -> None:
        rules = await self._threads.run(self._versions.of, batch)
        wanted = rule_verdict_needs(batch, rules, now_ms)
        people = await self._people.of({message.visitor for message in batch}, now_ms, wanted)
        posteriors = self._decider.posteriors
        for rule in posteriors.missing((compiled.rule for compiled in rules.values()), now_ms):
            await self._threads.run(posteriors.of, rule, now_ms)
        await self._bring_addresses(batch, people, now_ms)
        await self.deliver(self._decide(batch, people, rules, now_ms))

    async def _bring_addresses(
        self, batch: Sequence[QueuedMessage], people: Mapping[Visitor, PersonState], now_ms: int
    ) -> None:
        """Have the addresses of a batch in memory; a person may tell of another while they are read."""
        read: set[AddressKey] = set()
        while True:
            found = self._decider.addresses_of(batch, people, now_ms)
            missing = {key for keys in found.values() for key in keys} - read
            if not missing:
                return
            await self._addresses.bring(missing, now_ms)
            read |= missing

    def _decide(
        self,
        due: Sequence[QueuedMessage],
        people: Mapping[Visitor, PersonState],
        rules: Mapping[Version, CompiledRule],
        now_ms: int,
    ) -> list[Decided]:
        decided = self._decider.decide(due, people, rules, self._policy.policy, now_ms, self._under_way())
        self._claimed |= {one.message.message_id: one.message for one in decided if one.verdict.decision == "send"}
        return decided

    def _under_way(self) -> list[QueuedMessage]:
        return [*self._claimed.values(), *self._dispatcher.under_way()]

    def _put_back(self) -> None:
        self._outbox.add(self._in_hand)
        self._in_hand = []
        self._metrics.outbox_depth.set(len(self._outbox))
