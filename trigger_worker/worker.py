"""The worker: takes over what an earlier process left, then runs the evaluation loop and the delivery loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, TypeVar

import structlog

from trigger_worker.delivery.attempts import may_repeat
from trigger_worker.delivery.dispatcher import Dispatcher
from trigger_worker.delivery.loop import DeliveryLoop
from trigger_worker.live.loop import WORKER_NAME, EvaluationLoop
from trigger_worker.live.sweep import FeedSweep
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.people.address_book import AddressBook
from trigger_worker.people.source import PeopleSource
from trigger_worker.store.feed import read_cursor
from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.message_event import Occurrence, read_untold
from trigger_worker.store.queue import read_queue
from warehouse.address_ledger import AddressFact
from warehouse.connection import Warehouse
from warehouse.errors import JournalError, WarehouseError
from warehouse.event import EventRow

#: Least seconds between two steps of a loop: what arrives within them is dealt with together.
TICK_INTERVAL_SECONDS: Final = 0.05
#: How far back a worker looks that never ran here.
FIRST_LOOK_MS: Final = 60_000
RETRY_SECONDS: Final = 1.0
#: How far back a worker that starts looks for what the one before it sent and did not tell of.
UNTOLD_MS: Final = 24 * 3_600_000

T = TypeVar("T")
_log = structlog.get_logger("trigger_worker.worker")


class Worker:
    """Evaluates rules and sends messages until cancelled.

    Args:
        warehouse: the ClickHouse database.
        evaluation: the loop that evaluates rules.
        delivery: the loop that sends messages, by way of the dispatcher.
        dispatcher: settles the attempts that an earlier process left in doubt.
        source: reads people; closed with the worker.
        book: the addresses in memory.
        metrics: counts failed steps.
        clock_ms: the clock that stamps the feed, in epoch ms.
        caught_up: returns once the rows of an earlier process are in ClickHouse.
    """

    def __init__(  # noqa: PLR0913 - every collaborator is named here, once
        self,
        warehouse: Warehouse,
        *,
        evaluation: EvaluationLoop,
        delivery: DeliveryLoop,
        dispatcher: Dispatcher,
        source: PeopleSource,
        book: AddressBook,
        metrics: WorkerMetrics,
        clock_ms: Callable[[], int],
        caught_up: Callable[[], Awaitable[None]],
    ) -> None:
        self._caught_up = caught_up
        self.evaluation = evaluation
        self.delivery = delivery
        self._warehouse = warehouse
        self.dispatcher = dispatcher
        self._source = source
        self._book = book
        self._metrics = metrics
        self._clock_ms = clock_ms

    def close(self) -> None:
        """End the worker's threads."""
        self.evaluation.close()
        self.delivery.close()
        self._source.close()

    def wake(self) -> None:
        """Say that something may have been missed on the bus: the feed is swept at once, addresses are read again."""
        self._book.doubt()
        self.evaluation.news.set()

    def hear(self, rows: Sequence[EventRow], at: int) -> None:
        """Take events that a collector accepted at `at`, epoch ms."""
        self._book.hear(rows, at)
        self.evaluation.addresses.hear(rows)
        self.evaluation.bus.hear(rows, at)

    def hear_addresses(self, facts: Sequence[AddressFact]) -> None:
        """Take facts of addresses that a collector noted."""
        self._book.note(facts, max((fact.at for fact in facts), default=0))

    def forget_erased(self, is_erased: Callable[[str, str], bool]) -> None:
        """Forget everything about people who were erased: behaviour, and messages that wait.

        Args:
            is_erased: tells it of a visitor, by site and id.
        """
        self.evaluation.forget_erased(is_erased)
        self.delivery.forget_erased(is_erased)

    async def run(self) -> None:
        """Evaluate and send until cancelled; trouble with ClickHouse or the disk is waited out.

        The loops are apart, so that no firing waits for the messages of those before it.
        """
        sweep = await self.resume()
        evaluate = partial(self.evaluation.step, sweep)
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._ask_apart())
            # Before the rules are known, every message would be one of a rule that is gone.
            while await self._patiently("sweep", evaluate()) is None:
                pass
            loops.create_task(self._listen())
            loops.create_task(self._keep("sweep", evaluate, self.evaluation.news))
            loops.create_task(self._keep("delivery", self.delivery.step, self.delivery.queued))

    async def resume(self) -> FeedSweep:
        """Return the sweep of the feed where an earlier run left it, and take over the messages that it left waiting.

        Cost: four queries: the cursor, the waiting messages, and those that were sent and not told of; and as
        `ToldAddresses.fill_once`.
        """
        # The rows that an earlier process left in the journal are facts that people must be read with.
        await self._caught_up()
        while True:
            try:
                await asyncio.to_thread(self.evaluation.addresses.fill_once, self._clock_ms())
                await asyncio.to_thread(self.delivery.load_hour, self._warehouse)
                read_to, waiting, untold = await asyncio.to_thread(self._read_left)
                break
            except WarehouseError as error:
                _log.warning("start_delayed", error=error.message, remedy=error.hint)
                await asyncio.sleep(RETRY_SECONDS)
        in_doubt = [message for message in waiting if message.is_tried and not may_repeat(message)]
        self.delivery.add(message for message in waiting if not message.is_tried or may_repeat(message))
        while await self._patiently("start", self._take_over(in_doubt, untold)) is None:
            pass
        return FeedSweep(self._warehouse, read_to)

    async def _take_over(self, in_doubt: list[QueuedMessage], untold: list[Occurrence]) -> bool:
        await self.dispatcher.take_over(in_doubt, untold)
        return True

    async def _listen(self) -> None:
        """Ask about the events of the bus; a mistake of ours costs the events in hand, which the sweep finds."""
        while True:
            await self._patiently("bus", self.evaluation.bus.run())

    async def _ask_apart(self) -> None:
        """Ask about people whose answers take long; a mistake of ours there costs nobody a question."""
        while True:
            await self._patiently("apart", self.evaluation.run_apart())

    def _read_left(self) -> tuple[int, list[QueuedMessage], list[Occurrence]]:
        """Return up to when the feed was read, the messages that wait, and the events that nobody was told of."""
        now_ms = self._clock_ms()
        read_to = read_cursor(self._warehouse, WORKER_NAME) or now_ms - FIRST_LOOK_MS
        waiting = read_queue(self._warehouse)
        _log.info("worker_started", behind_ms=now_ms - read_to, waiting_messages=len(waiting))
        return read_to, waiting, read_untold(self._warehouse, now_ms - UNTOLD_MS)

    async def _keep(self, name: str, step: Callable[[], Awaitable[float]], wakened: asyncio.Event) -> None:
        """Repeat a step of a loop; after it, wait as long as it said, or until the loop is wakened."""
        while True:
            started = time.monotonic()
            seconds = await self._patiently(name, step()) or 0.0
            ended = time.monotonic()
            await asyncio.sleep(max(0.0, started + TICK_INTERVAL_SECONDS - ended))
            if seconds:
                await _set_within(wakened, max(0.0, ended + seconds - time.monotonic()))

    async def _patiently(self, name: str, step: Awaitable[T]) -> T | None:
        """Return the result of a step, or None after a while when it failed."""
        try:
            return await step
        except (WarehouseError, JournalError) as error:
            self._metrics.steps_failed.labels(name).inc()
            _log.warning("step_failed", step=name, error=error.message, remedy=error.hint)
        except Exception:  # noqa: BLE001 - a mistake of ours must not take the collector of this process along
            self._metrics.steps_failed.labels(name).inc()
            _log.exception("step_failed", step=name)
        await asyncio.sleep(RETRY_SECONDS)
        return None


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, so many seconds at most."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
