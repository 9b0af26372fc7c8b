"""The evaluation loop: events of the bus at once, and the sweep of the feed for all that the bus did not bring."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

import msgspec
import structlog

from trigger_worker.deciding.gate.policy_source import PolicySource
from trigger_worker.deciding.sequence.retry import read_retried
from trigger_worker.live.bus import BusEvents
from trigger_worker.live.evaluation import Delivery, Evaluation, Question
from trigger_worker.live.live_rules import LiveRules, Wait
from trigger_worker.live.outcomes import Outcomes
from trigger_worker.live.sweep import FeedSweep, Sweep
from trigger_worker.live.turn import Fired
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.people.arrival import Arrival
from trigger_worker.people.memory import People
from trigger_worker.people.source import PeopleSource
from trigger_worker.people.state import PersonState
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.files.folder import NO_RULES, RuleFolder
from trigger_worker.store.events import read_whole_events
from trigger_worker.store.feed import Anchor, News
from trigger_worker.store.people import Visitor
from trigger_worker.store.records import Records
from trigger_worker.store.row_log import RowLog
from trigger_worker.store.rule_versions import RuleVersions
from warehouse.connection import Warehouse

#: Seconds between two sweeps: while events come, and while all is quiet.
BUSY_INTERVAL_SECONDS: Final = 1.0
IDLE_INTERVAL_SECONDS: Final = 2.0
#: How often the files of rules and policy are looked at for changes.
RELOAD_INTERVAL_SECONDS: Final = 1.0
#: How often the cursor is stored. After a crash this much is read again, which changes nothing.
CURSOR_INTERVAL_MS: Final = 5_000
IDLE_CURSOR_INTERVAL_MS: Final = 30_000
#: The name under which the cursor is stored.
WORKER_NAME: Final = "rules"
#: Most visitors who are asked about together in a sweep.
MAX_TOGETHER: Final = 200
#: News and waits of longer ago are asked about apart: people are read as far back as the earliest of them.
SAME_TIME_MS: Final = 10_000
#: A turn that needs events that are not at hand is taken again once they are read; people may change meanwhile.
MAX_TURNS: Final = 5

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
        self._delivery = delivery
        self._metrics = metrics
        self._clock_ms = clock_ms
        self._evaluation = Evaluation(people, delivery, metrics)
        self.bus = BusEvents(self._evaluation, people, source, metrics, now_ms)
        self._outcomes = Outcomes(warehouse, log)
        self._rule_set = NO_RULES
        self._reloaded_at = 0.0
        self._cursor_stored_at = 0
        #: Set when the feed should be swept at once.
        self.news = asyncio.Event()

    async def step(self, sweep: FeedSweep) -> float:
        """Sweep once, and return the most seconds until the next sweep.

        Raises:
            WarehouseError, JournalError: as `evaluate`.
        """
        ticked = await self.evaluate(sweep)
        if not ticked.complete:
            return 0.0
        return IDLE_INTERVAL_SECONDS if ticked.idle else BUSY_INTERVAL_SECONDS

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
        now_ms = await asyncio.to_thread(self._clock_ms)
        self._reload()
        await asyncio.to_thread(self._versions.keep, self._rule_set, now_ms)
        with self._metrics.sweep_seconds.time():
            found = await asyncio.to_thread(sweep.read, self._evaluation.rules, now_ms)
            self._people.events.tell((item.identity for item in found.news), now_ms)
            again, self.bus.again = self.bus.again, []
            try:
                await self._deal_with(found, again)
            except BaseException:
                self.bus.again += again
                raise
        sweep.accept(found)
        self._metrics.sweeps.inc()
        ticked = Ticked(now_ms, found.complete, idle=not found.news)
        await asyncio.to_thread(self._store_cursor, sweep, ticked)
        self._clean(now_ms)
        return ticked

    async def _deal_with(self, found: Sweep, again: Sequence[News]) -> None:
        self._outcomes.add(found.news)
        await asyncio.to_thread(self._outcomes.record, found.now_ms)
        known = self._delivery.message_ids()
        retried = await asyncio.to_thread(read_retried, self._warehouse, found.news, lambda: known)
        open_news = [item for item in [*again, *found.news] if not self._people.events.is_handled(item.identity)]
        for news, due in _portions(open_news, found):
            await self._ask(news, due, found.now_ms)
        self._delivery.add(retried)
        self._metrics.events_handled.labels("sweep").inc(len(open_news))
        if open_news:
            self._metrics.lag_seconds.set((found.now_ms - open_news[0].visible_at) / 1000)

    async def _ask(self, news: Sequence[News], due: Sequence[tuple[Wait, Sequence[Anchor]]], now_ms: int) -> None:
        """Ask about some visitors; return once what fires is stored."""
        await self._read_news(news, now_ms)
        question = await self._gather(news, due, now_ms)
        whole: dict[tuple[Visitor, str], Event] = {}
        fired = self._evaluation.ask(question, now_ms)
        for _ in range(MAX_TURNS):
            missing = [one for one in fired if _key(one) not in whole]
            if not missing:
                break
            whole |= await self._read_whole(missing)
            # People may have changed while events were read.
            question = await self._gather(news, due, now_ms)
            fired = self._evaluation.ask(question, now_ms)
        by_state = {(one.state, _key(one)[1]): whole[_key(one)] for one in fired if _key(one) in whole}
        effects = self._evaluation.fire(question, fired, by_state, now_ms)
        for item in news:
            self._people.events.handle(item.identity)
        if effects is not None:
            try:
                await effects
            except BaseException:
                # The next sweep finds them again, and must ask again.
                for item in news:
                    self._people.events.reopen(item.identity)
                raise
        self._people.make_room(now_ms)

    async def _gather(
        self, news: Sequence[News], due: Sequence[tuple[Wait, Sequence[Anchor]]], now_ms: int
    ) -> Question:
        """Return the question with the people behind it, who know of the news."""
        visitors = {item.visitor for item in news} | {anchor.visitor for _, anchors in due for anchor in anchors}
        instants = [item.ts for item in news] + [
            anchor.ts + wait.wait_ms for wait, anchors in due for anchor in anchors
        ]
        since = min(instants, default=now_ms)
        people = await self._source.of(visitors, now_ms, since=since)
        misfits = {item.visitor for item in news if self._does_not_fit(item, people[item.visitor])}
        if misfits:
            # Read anew, once: the table has the events that the feed tells of.
            for visitor in misfits:
                self._people.forget(visitor)
            people = await self._source.of(visitors, now_ms, since=since)
        return Question(news, due, people)

    def _does_not_fit(self, item: News, state: PersonState) -> bool:
        """Add an event to its person where it is not known; tell whether the person must be read anew instead."""
        arrival = self._people.events.find(item.identity)
        return arrival is not None and bool(self._people.take(state, [arrival]))

    async def _read_news(self, news: Sequence[News], now_ms: int) -> None:
        """Read the events that are news about people in memory: the others are read together with the person."""
        unread = [
            item
            for item in news
            if self._people.find(item.visitor) is not None and self._people.events.find(item.identity) is None
        ]
        if not unread:
            return
        people = {item.visitor: state for item in unread if (state := self._people.find(item.visitor)) is not None}
        wanted = [(people[item.visitor].person, item.event_id) for item in unread]
        read = await asyncio.to_thread(read_whole_events, self._warehouse, wanted, min(item.ts for item in unread))
        for item in unread:
            event = read.get((people[item.visitor].person, item.event_id))
            if event is not None:
                self._people.events.add(Arrival(item.visitor, event, item.visible_at))
        self._people.events.tell((item.identity for item in unread), now_ms)

    async def _read_whole(self, fired: Sequence[Fired]) -> dict[tuple[Visitor, str], Event]:
        """Return the events that completed matches, with all of their fields."""
        found: dict[tuple[Visitor, str], Event] = {}
        unread: list[Fired] = []
        for one in fired:
            event = self._people.events.whole(one.state.person, one.match.event)
            if event is one.match.event:
                unread.append(one)
            found[_key(one)] = event
        if unread:
            wanted = [(one.state.person, one.match.event.event_id) for one in unread]
            since = min(one.match.event.ts for one in unread)
            read = await asyncio.to_thread(read_whole_events, self._warehouse, wanted, since)
            found |= {
                _key(one): read.get((one.state.person, one.match.event.event_id), one.match.event) for one in unread
            }
        return found

    def _reload(self) -> None:
        if time.monotonic() - self._reloaded_at < RELOAD_INTERVAL_SECONDS:
            return
        self._reloaded_at = time.monotonic()
        self._policy.refresh()
        rule_set = self._folder.refresh()
        if rule_set is not self._rule_set:
            self._rule_set = rule_set
            self._evaluation.rules = LiveRules(rule_set.unpaused, rule_set.audiences)
            self._people.look_at(self._evaluation.rules.scope)
            problems = [str(problem) for problem in rule_set.problems]
            _log.info("rules_loaded", rules=len(rule_set.rules), problems=problems)

    def _store_cursor(self, sweep: FeedSweep, ticked: Ticked) -> None:
        interval = IDLE_CURSOR_INTERVAL_MS if ticked.idle else CURSOR_INTERVAL_MS
        if ticked.now_ms - self._cursor_stored_at >= interval:
            read_to = min([sweep.read_to, *self._outcomes.oldest(), *(item.visible_at for item in self.bus.again)])
            self._records.store_cursor(WORKER_NAME, 0, read_to)
            self._cursor_stored_at = ticked.now_ms

    def _clean(self, now_ms: int) -> None:
        oldest = self._log.oldest_at()
        self._people.writes.forget_before(now_ms if oldest is None else oldest)
        self._metrics.people.set(len(self._people))
        self._metrics.people_bytes.set(self._people.size)
        self._metrics.people_evicted.inc(self._people.take_evicted())
        self._metrics.unstored_events.set(len(self._people.events))


def _key(one: Fired) -> tuple[Visitor, str]:
    return one.state.key, one.match.event.event_id


def _portions(news: Iterable[News], found: Sweep) -> Iterator[tuple[list[News], list[tuple[Wait, Sequence[Anchor]]]]]:
    """Split what is new by visitors, few enough to be asked about together; those asked about the past are apart."""
    items: dict[Visitor, list[News]] = {}
    anchors: dict[Visitor, list[tuple[Wait, Anchor]]] = {}
    past: set[Visitor] = set()
    for item in news:
        items.setdefault(item.visitor, []).append(item)
        if item.ts < found.now_ms - SAME_TIME_MS:
            past.add(item.visitor)
    for wait, started in found.due:
        for anchor in started:
            anchors.setdefault(anchor.visitor, []).append((wait, anchor))
            if anchor.ts + wait.wait_ms < found.now_ms - SAME_TIME_MS:
                past.add(anchor.visitor)
    everybody = items.keys() | anchors.keys()
    for visitors in (everybody - past, past):
        waiting = iter(sorted(visitors, key=lambda visitor: (visitor.site, visitor.visitor_id)))
        while together := list(islice(waiting, MAX_TOGETHER)):
            due: list[tuple[Wait, Sequence[Anchor]]] = [
                (wait, [anchor]) for one in together for wait, anchor in anchors.get(one, ())
            ]
            yield [item for one in together for item in items.get(one, ())], due
