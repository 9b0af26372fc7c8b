"""The loop: news and due times become firings, firings become messages, messages are decided and delivered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import msgspec
import structlog

from trigger_worker.decider import Decided, Decider
from trigger_worker.delivery import may_repeat
from trigger_worker.dispatcher import Dispatcher
from trigger_worker.evaluator import Evaluator
from trigger_worker.feed_reader import FeedReader, Reading
from trigger_worker.live_rules import LiveRules
from trigger_worker.message_event import Occurrence
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.outbox import Outbox
from trigger_worker.outcomes import record_outcomes
from trigger_worker.policy_source import PolicySource
from trigger_worker.portions import first_portion
from trigger_worker.queueing import queue_messages
from trigger_worker.reading.feed import read_cursor
from trigger_worker.reading.outgoing import queue_record, read_queue, read_untold
from trigger_worker.records import QueuedMessage, Records
from trigger_worker.retried import read_retried
from trigger_worker.rule_versions import RuleVersions
from trigger_worker.rules.folder import NO_RULES, RuleFolder
from trigger_worker.turns import take_turns
from warehouse.connection import Warehouse
from warehouse.errors import WarehouseError

#: Least seconds between two ticks: what arrives within them is asked about together.
TICK_INTERVAL_SECONDS: Final = 0.05
#: Most seconds between two ticks, for what becomes due and for news whose announcement was lost.
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
#: Messages that are decided on together.
MAX_DECIDED: Final = 500
WORKER_NAME: Final = "rules"

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
        self._decider = decider
        self._dispatcher = dispatcher
        self._outbox = outbox
        self._metrics = metrics
        self._news = asyncio.Event()
        self._rule_set = NO_RULES
        self._rules = LiveRules()
        self._versions = RuleVersions(warehouse)
        self._reloaded_at = 0.0
        self._cursor_stored_at = 0

    def wake(self) -> None:
        """Say that ClickHouse has news."""
        self._news.set()

    async def run(self) -> None:
        """Tick on news, when something is due, and now and then; trouble with ClickHouse is waited out."""
        reader = await self.resume()
        while True:
            started = time.monotonic()
            try:
                ticked = await self.tick(reader)
            except WarehouseError as error:
                self._metrics.ticks_failed.inc()
                _log.warning("tick_failed", error=error.message, remedy=error.hint)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            except Exception:  # noqa: BLE001 - a mistake of ours must not take the collector of this process along
                self._metrics.ticks_failed.inc()
                _log.exception("tick_failed")
                await asyncio.sleep(RETRY_SECONDS)
                continue
            await asyncio.sleep(max(0.0, TICK_INTERVAL_SECONDS - (time.monotonic() - started)))
            if ticked.complete:
                await self._rest(ticked.now_ms)

    async def tick(self, reader: FeedReader) -> Ticked:
        """Do what there is to do now.

        Firings are stored before anything is sent, and the cursor moves only after both: a crash in between repeats
        the work, and what was stored is recognised by its id.
        """
        self._news.clear()
        self._reload()
        with self._metrics.tick_seconds.time():
            ticked = await asyncio.to_thread(self._evaluate, reader)
            await self._send_due(ticked.now_ms)
        self._metrics.ticks.inc()
        await asyncio.to_thread(self._store_cursor, reader, ticked)
        return ticked

    def _evaluate(self, reader: FeedReader) -> Ticked:
        now_ms = self._clock_ms()
        self._versions.keep(self._rule_set, now_ms)
        reading = reader.read(self._rules, now_ms)
        record_outcomes(self._warehouse, reading.news)
        retried = read_retried(self._warehouse, reading.news, self._known_messages)
        fired = self._evaluator.evaluate(self._rules, reading, now_ms)
        queued = [message for live, fire in fired for message in queue_messages(live.rule, fire, now_ms)]
        # Messages first: a firing that is stored is never asked about again, so its messages must be there by then.
        self._records.store_messages([queue_record(message) for message in queued])
        if fired:
            self._records.store_fires([fire for _, fire in fired], self._clock_ms())
        self._outbox.add([*queued, *retried])
        reader.accept(reading)
        self._count(reading, now_ms, [fire.rule for _, fire in fired])
        return Ticked(now_ms, reading.complete, idle=not reading.news)

    async def _send_due(self, now_ms: int) -> None:
        waiting = self._outbox.take_due(now_ms)
        while waiting:
            turn, waiting = take_turns(waiting, self._dispatcher.under_way())
            if not turn:
                self._outbox.add(waiting)
                return
            turn, later = first_portion(turn, MAX_DECIDED)
            try:
                decided = await asyncio.to_thread(self._decide, turn, now_ms)
            except WarehouseError:
                self._outbox.add([*turn, *later, *waiting])
                raise
            await self._dispatcher.dispatch(decided)
            waiting = [*later, *waiting]

    def _decide(self, due: list[QueuedMessage], now_ms: int) -> list[Decided]:
        under_way = self._dispatcher.under_way()
        return self._decider.decide(due, self._versions.of(due), self._policy.policy, now_ms, under_way)

    def _known_messages(self) -> set[str]:
        return self._outbox.message_ids() | {message.message_id for message in self._dispatcher.under_way()}

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

    async def resume(self) -> FeedReader:
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

    def _resume(self) -> tuple[FeedReader, list[QueuedMessage], list[Occurrence]]:
        """Return the feed, the messages that must not be handed over once more, and what nobody was told of."""
        now_ms = self._clock_ms()
        read_to = read_cursor(self._warehouse, WORKER_NAME) or now_ms - FIRST_LOOK_MS
        waiting = read_queue(self._warehouse)
        in_doubt = [message for message in waiting if message.is_tried and not may_repeat(message)]
        self._outbox.add(message for message in waiting if not message.is_tried or may_repeat(message))
        _log.info("worker_started", behind_ms=now_ms - read_to, waiting_messages=len(self._outbox))
        untold = read_untold(self._warehouse, now_ms - UNTOLD_MS)
        return FeedReader(self._warehouse, read_to), in_doubt, untold

    async def _rest(self, now_ms: int) -> None:
        seconds = IDLE_INTERVAL_SECONDS
        if self._outbox.next_due is not None:
            seconds = min(seconds, max(0.0, (self._outbox.next_due - now_ms) / 1000))
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return

    def _store_cursor(self, reader: FeedReader, ticked: Ticked) -> None:
        interval = IDLE_CURSOR_INTERVAL_MS if ticked.idle else CURSOR_INTERVAL_MS
        if ticked.now_ms - self._cursor_stored_at >= interval:
            self._records.store_cursor(WORKER_NAME, 0, reader.read_to)
            self._cursor_stored_at = ticked.now_ms

    def _count(self, reading: Reading, now_ms: int, fired_rules: list[str]) -> None:
        self._metrics.candidates.inc(len(reading.candidates.by_person))
        self._metrics.outbox_depth.set(len(self._outbox))
        for rule in fired_rules:
            self._metrics.fires.labels(rule).inc()
        if reading.news:
            self._metrics.lag_seconds.set((now_ms - reading.news[0].visible_at) / 1000)
