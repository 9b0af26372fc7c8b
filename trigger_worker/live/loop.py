"""The evaluation loop: events of the bus at once, and the sweep of the feed for all that the bus did not bring.

More than 300 lines, because what one sweep does, and what has to be stored after it, must be read together.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

import msgspec
import structlog

from trigger_worker.deciding.gate.policy_source import PolicySource
from trigger_worker.deciding.sequence.retry import read_retried
from trigger_worker.live.bus import BusEvents
from trigger_worker.live.evaluation import Delivery, Evaluation
from trigger_worker.live.feed_events import FeedEvents
from trigger_worker.live.live_rules import LiveRules, rule_changes
from trigger_worker.live.side_lane import SideLane
from trigger_worker.live.sweep import FeedSweep, Sweep
from trigger_worker.live.told_addresses import ToldAddresses
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.people.memory import People
from trigger_worker.people.source import PeopleSource
from trigger_worker.rules.evaluate.event import LATE_MS
from trigger_worker.rules.files.folder import NO_RULES, RuleFolder
from trigger_worker.store.feed import News
from trigger_worker.store.message_event import RETRIED
from trigger_worker.store.records import Records
from trigger_worker.store.row_log import RowLog
from trigger_worker.store.rule_versions import RuleVersions
from trigger_worker.store.sent import record_outcomes
from warehouse.connection import Warehouse
from warehouse.threads import Threads
from warehouse.vocabulary import OUTCOME_STATES

#: Seconds between two sweeps: an event that the bus lost is answered within two of them.
INTERVAL_SECONDS: Final = 1.0
#: How often the files of rules and policy are looked at for changes.
RELOAD_INTERVAL_SECONDS: Final = 1.0
#: How often the cursor is stored. After a crash this much is read again, which changes nothing.
CURSOR_INTERVAL_MS: Final = 5_000
IDLE_CURSOR_INTERVAL_MS: Final = 30_000
#: The rows of an event reach the journal so long after a sweep that knows of the event, at most.
EFFECTS_MS: Final = 5_000
#: The name under which the cursor is stored.
WORKER_NAME: Final = "rules"
_log = structlog.get_logger("trigger_worker.live.loop")


class Ticked(msgspec.Struct, frozen=True):
    """The outcome of one sweep.

    Args:
        now_ms: its instant, epoch ms by the clock that stamps the feed.
        complete: False when more events wait to be evaluated at once.
        idle: True when there was no new event.
    """

    now_ms: int
    complete: bool
    idle: bool


class EvaluationLoop:
    """Evaluates the live rules over what the bus and the feed bring.

    Args:
        warehouse: the ClickHouse database with the events.
        folder: the rule files.
        policy: the policy of the gate; its files are reloaded together with the rules.
        versions: keeps the text of each rule version.
        records: stores the cursor.
        log: tells which rows of ours are in ClickHouse.
        people, source: the people in memory, and those to be read.
        addresses: brings to the ledger of addresses what people's events tell.
        delivery: takes the messages of firings.
        metrics: counts sweeps, candidates and firings.
        clock_ms: the clock that stamps the feed, in epoch ms; it may ask ClickHouse.
        now_ms: returns the present by this machine's clock, in epoch ms.
    """

    def __init__(  # noqa: PLR0913 - every collaborator is named here, once
        self,
        warehouse: Warehouse,
        *,
        folder: RuleFolder,
        policy: PolicySource,
        versions: RuleVersions,
        records: Records,
        log: RowLog,
        people: People,
        source: PeopleSource,
        addresses: ToldAddresses,
        delivery: Delivery,
        metrics: WorkerMetrics,
        clock_ms: Callable[[], int],
        now_ms: Callable[[], int],
    ) -> None:
        self._warehouse = warehouse
        self._folder = folder
        self._policy = policy
        self._versions = versions
        self._records = records
        self._log = log
        self._people = people
        self._source = source
        self.addresses: Final = addresses
        self._delivery = delivery
        self._metrics = metrics
        self._clock_ms = clock_ms
        self._evaluation = Evaluation(people, delivery, metrics)
        self._lane = SideLane(metrics, now_ms)
        self.bus = BusEvents(self._evaluation, people, source, self._lane, metrics, now_ms)
        self._feed = FeedEvents(warehouse, self._evaluation, people, source, self._lane, metrics)
        self._threads = Threads("feed", 1)
        self._outcomes = Outcomes(warehouse, log)
        self._rule_set = NO_RULES
        #: Changes of the rules that the audit does not have yet.
        self._changes: list[dict[str, list[str]]] = []
        self._reloaded_at = 0.0
        self._cursor_stored_at = 0
        #: Sweeps whose rows may be in the journal still: when each was over, and up to when it had read.
        self._swept: deque[tuple[int, int]] = deque()
        self._stored_to = 0
        #: Set when the feed should be swept at once.
        self.news = asyncio.Event()

    def close(self) -> None:
        """End the threads."""
        self._threads.close()
        self._feed.close()
        self.addresses.close()

    async def run_apart(self) -> None:
        """Ask about people whose answers take long, until cancelled."""
        await self._lane.run(self._feed.ask_apart)

    async def settle(self) -> None:
        """Ask about everything that was heard of until now, and wait until its answers are stored."""
        await self.bus.settle()
        while len(self._lane):
            await self._lane.settle(self._feed.ask_apart)
            await self.bus.settle()

    def forget_erased(self, is_erased: Callable[[str, str], bool]) -> None:
        """Forget everything about people who were erased.

        Args:
            is_erased: tells it of a visitor, by site and id.
        """
        self.bus.forget_erased(is_erased)
        self._lane.forget_erased(is_erased)
        self._people.forget_erased(is_erased)

    async def step(self, sweep: FeedSweep) -> float:
        """Sweep once, and return the most seconds until the next sweep.

        Raises:
            WarehouseError, JournalError: as `evaluate`.
        """
        ticked = await self.evaluate(sweep)
        return INTERVAL_SECONDS if ticked.complete else 0.0

    async def evaluate(self, sweep: FeedSweep) -> Ticked:
        """Ask about what the feed tells of and the bus did not bring, and about waits that are over.

        A crash in between repeats the work; firings that were stored are recognised by their ids.

        Raises:
            WarehouseError: ClickHouse refused a statement, or cannot answer just now; nothing is lost.
            JournalError: firings could not be stored; nothing is lost.

        Cost: one query of the feed when the bus brought everything; else as `FeedSweep.read` says, one for the events
        of people in memory, and the reading of others.
        """
        self.news.clear()
        self._reload()
        # A worker that starts has what came of all before in ClickHouse.
        self._stored_to = self._stored_to or sweep.read_to
        self._go_back(sweep)
        with self._metrics.sweep_seconds.time():
            found = await self._threads.run(self._read, sweep)
            self._people.events.tell((item.identity for item in found.news), found.now_ms)
            for site in found.changed_sites:
                self._people.forget_site(site)
            await self._note_addresses(found)
            again = self.bus.unanswered.take()
            try:
                await self._record(found)
                await self._feed.ask(found, again)
                # Only now do people in memory know of the news.
                await self.addresses.settle(found.now_ms)
            except BaseException:
                self.bus.unanswered.add(again)
                raise
        sweep.accept(found)
        self._metrics.sweeps.inc()
        ticked = Ticked(found.now_ms, found.complete, idle=not found.news)
        self._note_stored(sweep, ticked.now_ms)
        await self._store_cursor(ticked)
        self._clean(ticked.now_ms)
        return ticked

    def _read(self, sweep: FeedSweep) -> Sweep:
        now_ms = self._clock_ms()
        self._versions.keep(self._rule_set, now_ms)
        while self._changes:
            self._records.store_rule_changes(self._changes[0])
            self._changes.pop(0)
        return sweep.read(self._evaluation.rules, now_ms)

    async def _note_addresses(self, found: Sweep) -> None:
        """Bring to the ledger of addresses what was imported, and note which news may tell of one."""
        self.addresses.find(found.news)
        if found.changed_sites:
            await self.addresses.refill(found.now_ms)

    async def _record(self, found: Sweep) -> None:
        """Store outcomes of messages, and hear of messages that an operator asked for again."""
        self._outcomes.add(found.news)
        if self._outcomes.oldest():
            await self._threads.run(self._outcomes.record, found.now_ms)
        if any(item.event == RETRIED for item in found.news):
            known = self._delivery.message_ids()
            self._delivery.add(await self._threads.run(read_retried, self._warehouse, found.news, lambda: known))

    def _reload(self) -> None:
        if time.monotonic() - self._reloaded_at < RELOAD_INTERVAL_SECONDS:
            return
        self._reloaded_at = time.monotonic()
        self._policy.refresh()
        rule_set = self._folder.refresh()
        if rule_set is not self._rule_set:
            if self._rule_set is not NO_RULES and (changes := rule_changes(self._rule_set.rules, rule_set.rules)):
                self._changes.append(changes)
            self._rule_set = rule_set
            self._evaluation.rules = LiveRules(rule_set.unpaused, rule_set.audiences)
            self._people.look_at(self._evaluation.rules.scope)
            problems = [str(problem) for problem in rule_set.problems]
            _log.info("rules_loaded", rules=len(rule_set.rules), problems=problems)

    def _go_back(self, sweep: FeedSweep) -> None:
        """Have the feed read again from where events are whose answers could not be stored, and that are not kept."""
        left_since = self.bus.unanswered.take_left_since()
        if left_since is not None:
            # The bus tells when an event was accepted, by another machine's clock than the one that stamps the feed.
            sweep.go_back(left_since - LATE_MS)
            self._swept.clear()
            self._stored_to = min(self._stored_to, sweep.read_to)

    def _note_stored(self, sweep: FeedSweep, now_ms: int) -> None:
        """Note up to when the feed need not be read again, whoever works next: what came of it is in ClickHouse."""
        self._swept.append((now_ms, sweep.read_to))
        oldest = self._log.oldest_at() or now_ms
        while self._swept and self._swept[0][0] < oldest - EFFECTS_MS:
            self._stored_to = self._swept.popleft()[1]

    async def _store_cursor(self, ticked: Ticked) -> None:
        interval = IDLE_CURSOR_INTERVAL_MS if ticked.idle else CURSOR_INTERVAL_MS
        if ticked.now_ms - self._cursor_stored_at >= interval:
            apart = self._lane.oldest(self._log.oldest_at())
            read_to = min([self._stored_to, *self._outcomes.oldest(), *apart, *self.bus.unanswered.oldest()])
            await self._threads.run(self._records.store_cursor, WORKER_NAME, 0, read_to)
            self._cursor_stored_at = ticked.now_ms

    def _clean(self, now_ms: int) -> None:
        oldest = self._log.oldest_at()
        self._people.writes.forget_before(now_ms if oldest is None else oldest)
        self._metrics.people.set(len(self._people))
        self._metrics.people_bytes.set(self._people.size)
        self._metrics.people_evicted.inc(self._people.take_evicted())
        self._metrics.unstored_events.set(len(self._people.events))


class Outcomes:
    """The outcomes that the feed told of, until the messages that they are about are in ClickHouse.

    Memory knows of an outcome at once; only the rows wait.

    Args:
        warehouse: the ClickHouse database with events and messages.
        log: tells which rows of ours are in ClickHouse.
    """

    def __init__(self, warehouse: Warehouse, log: RowLog) -> None:
        self._warehouse = warehouse
        self._log = log
        self._waiting: list[News] = []

    def add(self, news: Iterable[News]) -> None:
        """Add the outcomes among some news; those that wait already are not added again."""
        known = {item.identity for item in self._waiting}
        self._waiting += [item for item in news if item.event in OUTCOME_STATES and item.identity not in known]

    def oldest(self) -> list[int]:
        """Return when the oldest waiting outcome became visible (epoch ms), or nothing."""
        return [min(item.visible_at for item in self._waiting)] if self._waiting else []

    def record(self, now_ms: int) -> None:
        """Store the states of messages that had left the journal when their outcome became visible.

        Args:
            now_ms: epoch ms.

        Raises:
            WarehouseError: they are not stored, and wait.

        Cost: as `record_outcomes`.
        """
        in_journal_since = self._log.oldest_at() or now_ms
        ready = [item for item in self._waiting if item.visible_at <= in_journal_since]
        if ready:
            record_outcomes(self._warehouse, ready)
            self._waiting = [item for item in self._waiting if item.visible_at > in_journal_since]
