"""The evaluation loop: fresh events and waits that are over become firings, and firings become queued messages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, Protocol, TypeVar

import msgspec
import structlog

from trigger_worker.deciding.gate.policy_source import PolicySource
from trigger_worker.deciding.sequence.queueing import queue_messages
from trigger_worker.deciding.sequence.retry import read_retried
from trigger_worker.live.evaluator import Evaluator
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.live.sweep import FeedSweep, Sweep
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.rules.files.folder import NO_RULES, RuleFolder
from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.queue import queue_record
from trigger_worker.store.records import Records
from trigger_worker.store.rule_versions import RuleVersions
from trigger_worker.store.sent import record_outcomes
from warehouse.connection import Warehouse

#: Most seconds between two evaluations, for waits that run out and for events whose announcement was lost.
IDLE_INTERVAL_SECONDS: Final = 1.0
#: How often the files of rules and policy are looked at for changes.
RELOAD_INTERVAL_SECONDS: Final = 1.0
#: How often the cursor is stored. After a crash this much is read again, which changes nothing.
CURSOR_INTERVAL_MS: Final = 1_000
IDLE_CURSOR_INTERVAL_MS: Final = 30_000
#: How long the evaluating thread waits for the ids of waiting messages. The event loop answers between two steps of
#: its tasks; when it does not, or has ended, the evaluation fails and is repeated rather than waiting for ever.
ASK_TIMEOUT_SECONDS: Final = 10.0
#: The name under which the cursor is stored.
WORKER_NAME: Final = "rules"

T = TypeVar("T")
_log = structlog.get_logger("trigger_worker.live.loop")


class MessageQueue(Protocol):
    """The messages that wait or are on their way."""

    def add(self, messages: Iterable[QueuedMessage]) -> None:
        """Add messages, to be decided on when they are due."""

    def message_ids(self) -> set[str]:
        """Return the ids of all messages that wait, are decided on, or are being handed over."""


class Ticked(msgspec.Struct, frozen=True):
    """The outcome of one evaluation.

    Args:
        now_ms: its instant, epoch ms by the clock that stamps the feed.
        complete: False when more events wait to be evaluated at once.
        idle: True when there was no new event.
    """

    now_ms: int
    complete: bool
    idle: bool


class EvaluationLoop:
    """Evaluates the live rules over what the feed brings.

    Args:
        warehouse: the ClickHouse database with the events.
        folder: the rule files.
        policy: the policy of the gate; its files are reloaded together with the rules.
        versions: keeps the text of each rule version.
        records: stores firings, messages and the cursor.
        queue: takes the messages of firings.
        metrics: counts evaluations, candidates and firings.
        clock_ms: the clock that stamps the feed, in epoch ms.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        *,
        folder: RuleFolder,
        policy: PolicySource,
        versions: RuleVersions,
        records: Records,
        queue: MessageQueue,
        metrics: WorkerMetrics,
        clock_ms: Callable[[], int],
    ) -> None:
        self._warehouse = warehouse
        self._folder = folder
        self._policy = policy
        self._versions = versions
        self._records = records
        self._queue = queue
        self._metrics = metrics
        self._clock_ms = clock_ms
        self._evaluator = Evaluator(warehouse)
        self._rule_set = NO_RULES
        self._rules = LiveRules()
        self._reloaded_at = 0.0
        self._cursor_stored_at = 0
        #: Set when ClickHouse has fresh events.
        self.news = asyncio.Event()

    async def step(self, sweep: FeedSweep) -> float:
        """Evaluate once, and return the most seconds to wait for news before the next time."""
        ticked = await self.evaluate(sweep)
        return IDLE_INTERVAL_SECONDS if ticked.complete else 0.0

    async def evaluate(self, sweep: FeedSweep) -> Ticked:
        """Turn fresh events into firings and queued messages, all stored before the cursor moves.

        A crash in between repeats the work; rows that were stored are recognised by their ids.

        Raises:
            WarehouseError: ClickHouse refused a statement, or cannot answer just now; nothing is lost.

        Cost: one query of the feed when nothing is new; else as `FeedSweep.read` and `Evaluator.evaluate` say, and an
        insert each for messages, firings and the cursor.
        """
        self.news.clear()
        self._reload()
        with self._metrics.tick_seconds.time():
            ticked, messages = await asyncio.to_thread(self._evaluate, sweep, asyncio.get_running_loop())
        self._queue.add(messages)
        self._metrics.ticks.inc()
        await asyncio.to_thread(self._store_cursor, sweep, ticked)
        return ticked

    def _evaluate(self, sweep: FeedSweep, loop: asyncio.AbstractEventLoop) -> tuple[Ticked, list[QueuedMessage]]:
        now_ms = self._clock_ms()
        self._versions.keep(self._rule_set, now_ms)
        found = sweep.read(self._rules, now_ms)
        record_outcomes(self._warehouse, found.news)
        # Asked where messages move from hand to hand, so that none is between two.
        known = partial(_ask, loop, self._queue.message_ids)
        retried = read_retried(self._warehouse, found.news, known)
        fired = self._evaluator.evaluate(self._rules, found, now_ms)
        queued = [message for compiled, fire in fired for message in queue_messages(compiled.rule, fire, now_ms)]
        # Messages first: a firing that is stored is never asked about again, so its messages must be there by then.
        self._records.store_messages([queue_record(message) for message in queued])
        if fired:
            self._records.store_fires([fire for _, fire in fired], self._clock_ms())
        sweep.accept(found)
        self._count(found, now_ms, [fire.rule for _, fire in fired])
        return Ticked(now_ms, found.complete, idle=not found.news), [*queued, *retried]

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

    def _store_cursor(self, sweep: FeedSweep, ticked: Ticked) -> None:
        interval = IDLE_CURSOR_INTERVAL_MS if ticked.idle else CURSOR_INTERVAL_MS
        if ticked.now_ms - self._cursor_stored_at >= interval:
            self._records.store_cursor(WORKER_NAME, 0, sweep.read_to)
            self._cursor_stored_at = ticked.now_ms

    def _count(self, found: Sweep, now_ms: int, fired_rules: list[str]) -> None:
        self._metrics.candidates.inc(len(found.candidates.by_person))
        for rule in fired_rules:
            self._metrics.fires.labels(rule).inc()
        if found.news:
            self._metrics.lag_seconds.set((now_ms - found.news[0].visible_at) / 1000)


def _ask(loop: asyncio.AbstractEventLoop, question: Callable[[], T]) -> T:
    """Return the answer that an event loop gives between two steps of its tasks; called from another thread.

    Raises:
        TimeoutError: the loop does not answer.
    """

    async def answer() -> T:
        return question()

    answered = asyncio.run_coroutine_threadsafe(answer(), loop)
    try:
        return answered.result(ASK_TIMEOUT_SECONDS)
    finally:
        answered.cancel()
