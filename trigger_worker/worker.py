"""Two loops: news and due times become firings and their messages; messages that are due are decided on and sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeVar

import msgspec
import structlog

from trigger_worker.deciding.decider import Decider
from trigger_worker.deciding.gate.policy_source import PolicySource
from trigger_worker.deciding.sequence.outbox import Outbox
from trigger_worker.deciding.sequence.outcomes import record_outcomes
from trigger_worker.deciding.sequence.queueing import queue_messages
from trigger_worker.deciding.sequence.retry import read_retried
from trigger_worker.deciding.sequence.rule_versions import RuleVersions
from trigger_worker.delivery.attempts import may_repeat
from trigger_worker.delivery.dispatcher import Dispatcher
from trigger_worker.delivery.loop import Sender
from trigger_worker.live.evaluator import Evaluator
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.live.sweep import FeedSweep, Sweep
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.rules.files.folder import NO_RULES, RuleFolder
from trigger_worker.store.feed import read_cursor
from trigger_worker.store.message_event import Occurrence
from trigger_worker.store.messages import queue_record, read_queue, read_untold
from trigger_worker.store.records import QueuedMessage, Records
from warehouse.connection import Warehouse
from warehouse.errors import WarehouseError

#: Least seconds between two turns of a loop: what arrives within them is looked at together.
TICK_INTERVAL_SECONDS: Final = 0.05
#: Most seconds between two turns, for what becomes due and for news whose announcement was lost.
IDLE_INTERVAL_SECONDS: Final = 1.0
#: How often files are looked at for changes.
RELOAD_INTERVAL_SECONDS: Final = 1.0
#: How often the cursor is stored. After a crash this much is read again, which changes nothing.
CURSOR_INTERVAL_MS: Final = 1_000
IDLE_CURSOR_INTERVAL_MS: Final = 30_000
#: How far back a worker looks that never ran here.
FIRST_LOOK_MS: Final = 60_000
RETRY_SECONDS: Final = 1.0
#: How far back a worker that starts looks for what the one before it sent and did not tell of.
UNTOLD_MS: Final = 24 * 3_600_000
WORKER_NAME: Final = "rules"

T = TypeVar("T")
_log = structlog.get_logger("trigger_worker")


class Ticked(msgspec.Struct, frozen=True):
    """What a tick did.

    Args:
        now_ms: when, by the clock that stamps the feed.
        complete: False when there is more to do at once.
        idle: whether there was no news.
    """

    now_ms: int
    complete: bool
    idle: bool


class Worker:
    """Evaluates rules and sends messages until cancelled.

    Args:
        warehouse: where events are and results go.
        folder: the rules.
        policy: what holds for all of them.
        decider, dispatcher: judge and deliver messages.
        outbox: messages that wait for their time.
        metrics: counts what happens.
        clock_ms: the clock that stamps the feed, in epoch milliseconds.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        *,
        folder: RuleFolder,
        policy: PolicySource,
        decider: Decider,
        dispatcher: Dispatcher,
        outbox: Outbox,
        metrics: WorkerMetrics,
        clock_ms: Callable[[], int],
    ) -> None:
        self._warehouse = warehouse
        self._clock_ms = clock_ms
        self._records = Records(warehouse)
        self._evaluator = Evaluator(warehouse)
        self._folder = folder
        self._policy = policy
        self._outbox = outbox
        self._metrics = metrics
        self._dispatcher = dispatcher
        self._versions = RuleVersions(warehouse)
        self._sender = Sender(
            outbox=outbox, decider=decider, dispatcher=dispatcher, versions=self._versions, policy=policy
        )
        self._news = asyncio.Event()
        self._queued = asyncio.Event()
        self._rule_set = NO_RULES
        self._rules = LiveRules()
        self._reloaded_at = 0.0
        self._cursor_stored_at = 0

    def wake(self) -> None:
        """Say that ClickHouse has news."""
        self._news.set()

    async def run(self) -> None:
        """Evaluate and send until cancelled; trouble with ClickHouse is waited out.

        The loops are two, so that no firing waits for the messages of those before it.
        """
        reader = await self.resume()
        # Before the rules are known, every message would be one of a rule that is gone.
        while await self._patiently(self.evaluate(reader)) is None:
            pass
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._keep_evaluating(reader))
            loops.create_task(self._keep_sending())

    async def tick(self, reader: FeedSweep) -> Ticked:
        """Do what there is to do now: evaluate what is new, then send what is due."""
        ticked = await self.evaluate(reader)
        await self._sender.send_due(ticked.now_ms)
        return ticked

    async def evaluate(self, reader: FeedSweep) -> Ticked:
        """Turn what is new into firings and messages that wait.

        Both are stored before the cursor moves: a crash in between repeats the work, and what was stored is recognised
        by its id.
        """
        self._news.clear()
        self._reload()
        with self._metrics.tick_seconds.time():
            ticked, messages = await asyncio.to_thread(self._evaluate, reader, asyncio.get_running_loop())
        self._outbox.add(messages)
        if messages:
            self._queued.set()
        self._metrics.outbox_depth.set(len(self._outbox))
        self._metrics.ticks.inc()
        await asyncio.to_thread(self._store_cursor, reader, ticked)
        return ticked

    async def _keep_evaluating(self, reader: FeedSweep) -> None:
        while True:
            started = time.monotonic()
            ticked = await self._patiently(self.evaluate(reader))
            await asyncio.sleep(max(0.0, TICK_INTERVAL_SECONDS - (time.monotonic() - started)))
            if ticked is not None and ticked.complete:
                await _set_within(self._news, IDLE_INTERVAL_SECONDS)

    async def _keep_sending(self) -> None:
        while True:
            started = time.monotonic()
            self._queued.clear()
            now_ms = await self._patiently(self._send_due())
            await asyncio.sleep(max(0.0, TICK_INTERVAL_SECONDS - (time.monotonic() - started)))
            seconds = IDLE_INTERVAL_SECONDS
            if now_ms is not None and self._outbox.next_due is not None:
                passed = time.monotonic() - started
                seconds = min(seconds, max(0.0, (self._outbox.next_due - now_ms) / 1000 - passed))
            await _set_within(self._queued, seconds)

    async def _send_due(self) -> int | None:
        """Send what is due, and return the time, epoch milliseconds; None when nothing waits at all."""
        if self._outbox.next_due is None:
            return None
        now_ms = await asyncio.to_thread(self._clock_ms)
        await self._sender.send_due(now_ms)
        return now_ms

    async def _patiently(self, step: Awaitable[T]) -> T | None:
        """Return what a step brings, or None after a while when it failed."""
        try:
            return await step
        except WarehouseError as error:
            self._metrics.ticks_failed.inc()
            _log.warning("tick_failed", error=error.message, remedy=error.hint)
        except Exception:  # noqa: BLE001 - a mistake of ours must not take the collector of this process along
            self._metrics.ticks_failed.inc()
            _log.exception("tick_failed")
        await asyncio.sleep(RETRY_SECONDS)
        return None

    def _evaluate(self, reader: FeedSweep, loop: asyncio.AbstractEventLoop) -> tuple[Ticked, list[QueuedMessage]]:
        now_ms = self._clock_ms()
        self._versions.keep(self._rule_set, now_ms)
        reading = reader.read(self._rules, now_ms)
        record_outcomes(self._warehouse, reading.news)
        # Asked where messages move from hand to hand, so that none is between two.
        known = partial(_ask, loop, self._sender.message_ids)
        retried = read_retried(self._warehouse, reading.news, known)
        fired = self._evaluator.evaluate(self._rules, reading, now_ms)
        queued = [message for live, fire in fired for message in queue_messages(live.rule, fire, now_ms)]
        # Messages first: a firing that is stored is never asked about again, so its messages must be there by then.
        self._records.store_messages([queue_record(message) for message in queued])
        if fired:
            self._records.store_fires([fire for _, fire in fired], self._clock_ms())
        reader.accept(reading)
        self._count(reading, now_ms, [fire.rule for _, fire in fired])
        return Ticked(now_ms, reading.complete, idle=not reading.news), [*queued, *retried]

    def _reload(self) -> None:
        if time.monotonic() - self._reloaded_at < RELOAD_INTERVAL_SECONDS:
            return
        self._reloaded_at = time.monotonic()
        self._policy.refresh()
        rule_set = self._folder.refresh()
        if rule_set is not self._rule_set:
            self._rule_set = rule_set
            self._rules = LiveRules(rule_set.unpaused, rule_set.audiences)
            problems = [str(problem) for problem in rule_set.problems]
            _log.info("rules_loaded", rules=len(rule_set.rules), problems=problems)

    async def resume(self) -> FeedSweep:
        """Return the feed where an earlier run left it, with the messages that it left waiting."""
        while True:
            try:
                reader, in_doubt, untold = await asyncio.to_thread(self._resume)
            except WarehouseError as error:
                _log.warning("start_delayed", error=error.message, remedy=error.hint)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                await self._dispatcher.take_over(in_doubt, untold)
                return reader

    def _resume(self) -> tuple[FeedSweep, list[QueuedMessage], list[Occurrence]]:
        """Return the feed, the messages that must not be handed over once more, and what nobody was told of."""
        now_ms = self._clock_ms()
        read_to = read_cursor(self._warehouse, WORKER_NAME) or now_ms - FIRST_LOOK_MS
        waiting = read_queue(self._warehouse)
        in_doubt = [message for message in waiting if message.is_tried and not may_repeat(message)]
        self._outbox.add(message for message in waiting if not message.is_tried or may_repeat(message))
        _log.info("worker_started", behind_ms=now_ms - read_to, waiting_messages=len(self._outbox))
        untold = read_untold(self._warehouse, now_ms - UNTOLD_MS)
        return FeedSweep(self._warehouse, read_to), in_doubt, untold

    def _store_cursor(self, reader: FeedSweep, ticked: Ticked) -> None:
        interval = IDLE_CURSOR_INTERVAL_MS if ticked.idle else CURSOR_INTERVAL_MS
        if ticked.now_ms - self._cursor_stored_at >= interval:
            self._records.store_cursor(WORKER_NAME, 0, reader.read_to)
            self._cursor_stored_at = ticked.now_ms

    def _count(self, reading: Sweep, now_ms: int, fired_rules: list[str]) -> None:
        self._metrics.candidates.inc(len(reading.candidates.by_person))
        for rule in fired_rules:
            self._metrics.fires.labels(rule).inc()
        if reading.news:
            self._metrics.lag_seconds.set((now_ms - reading.news[0].visible_at) / 1000)


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, so many seconds at most."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def _ask(loop: asyncio.AbstractEventLoop, question: Callable[[], T]) -> T:
    """Return the answer that a loop gives between its tasks' steps; called from another thread."""

    async def answer() -> T:
        return question()

    return asyncio.run_coroutine_threadsafe(answer(), loop).result()
