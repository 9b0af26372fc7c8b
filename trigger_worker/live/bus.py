"""Events as collectors accept them: asked about within milliseconds, and left to the sweep where that cannot be.

More than 300 lines, because every place in which an event of the bus waits is here.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import structlog

from trigger_worker.live.candidates import is_late
from trigger_worker.live.evaluation import Effects, Evaluation, Question
from trigger_worker.live.first_seen import FirstSeen
from trigger_worker.live.side_lane import Reason, SideLane
from trigger_worker.live.sweep import Unanswered
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.people.arrival import Arrival, accepted
from trigger_worker.people.memory import People
from trigger_worker.people.source import JoinPace, PeopleSource
from trigger_worker.people.state import PersonState
from trigger_worker.store.feed import News
from trigger_worker.store.people import Visitor
from warehouse.errors import JournalError, WarehouseError
from warehouse.event import EventRow
from warehouse.vocabulary import MESSAGE_EVENTS

#: Most events that wait to be asked about; more are left to the sweep.
MAX_WAITING: Final = 20_000
#: Most events that are asked about together, before others get a turn.
MAX_TOGETHER: Final = 200
#: How far the instant of an event of ours may be ahead, ms.
OWN_AHEAD_MS: Final = 10
#: How long the first visitor who must be read waits for others soon after a reading, in seconds.
GATHER_SECONDS: Final = 0.04
#: Most answers that are on their way to the disk.
MAX_EFFECTS: Final = 256

_log = structlog.get_logger("trigger_worker.live.bus")


class BusEvents:
    """Asks rules about the events of the bus.

    What is late, comes out of order, or cannot be asked about just now is left to the sweep, which finds it in the
    feed. The same holds for events whose answers could not be stored.

    Args:
        evaluation: asks the rules.
        people, source: the people in memory, and those to be read.
        lane: takes people whose answers take long.
        metrics: counts events.
        now_ms: returns the present, in epoch ms.
    """

    def __init__(
        self,
        evaluation: Evaluation,
        people: People,
        source: PeopleSource,
        lane: SideLane,
        metrics: WorkerMetrics,
        now_ms: Callable[[], int],
    ) -> None:
        self._evaluation = evaluation
        self._people = people
        self._source = source
        self._lane = lane
        self._metrics = metrics
        self._now_ms = now_ms
        self._waiting: deque[tuple[EventRow, int]] = deque()
        self._first_seen = FirstSeen(people)
        self._join_pace = JoinPace()
        self._effects: set[asyncio.Task[None]] = set()
        self.unanswered: Final = Unanswered(metrics)
        self._arrived = asyncio.Event()
        self._to_load = asyncio.Event()

    def hear(self, rows: Sequence[EventRow], at: int) -> None:
        """Take events that were accepted at `at`, epoch ms; they are asked about as soon as there is a turn."""
        room = MAX_WAITING - len(self._waiting)
        if len(rows) > room:
            self._leave("queue_full", len(rows) - room)
        self._waiting.extend((row, at) for row in rows[:room])
        self._arrived.set()

    def forget_erased(self, is_erased: Callable[[str, str], bool]) -> None:
        """Forget the events of people who were erased that wait to be asked about."""
        self._waiting = deque(each for each in self._waiting if not is_erased(each[0].site, each[0].visitor_id))
        self._first_seen.forget(is_erased)
        self.unanswered.forget(is_erased)

    async def run(self) -> None:
        """Ask about events as they come, until cancelled; what waited before goes on."""
        self._arrived.set()
        self._to_load.set()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._run_asking(), name="events of the bus")
            tasks.create_task(self._run_loading(), name="readings of people")

    async def settle(self) -> None:
        """Ask about everything that was heard of until now, and wait until its answers are stored."""
        while self._waiting or self._first_seen or self._effects:
            self.step()
            await self.load()
            if self._effects:
                await asyncio.wait(self._effects)

    def step(self) -> None:
        """Ask about some of the events that wait."""
        taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_TOGETHER))]
        # What happened in one millisecond, and came together, is not torn apart: all of it is known at once.
        while self._waiting and len(taken) < 2 * MAX_TOGETHER and _is_of_one_instant(taken[-1], self._waiting[0]):
            taken.append(self._waiting.popleft())
        arrivals = [accepted(*each) for each in taken]
        if arrivals:
            with self._metrics.turn_seconds.time():
                self._take(arrivals)

    async def load(self) -> None:
        """Read some of the people whose events wait for it, and ask about those."""
        visitors = self._first_seen.begin()
        if not visitors:
            return
        try:
            # With the ids that events join to them: of one with more ids than a person may have, too, it is known then.
            await self._source.of([*visitors, *self._first_seen.aliases(visitors)], self._now_ms())
        except WarehouseError as error:
            _log.warning("people_not_read", visitors=len(visitors), error=error.message, remedy=error.hint)
            self._leave("not_read", len(self._first_seen.take(visitors)))
        else:
            self._ask(self._first_seen.take(visitors), self._now_ms())
        finally:
            self._first_seen.end(visitors)

    async def _run_asking(self) -> None:
        while True:
            await self._arrived.wait()
            self.step()
            if not self._waiting:
                self._arrived.clear()
            # Requests and answers get their turn in between.
            await asyncio.sleep(0)
            if len(self._effects) >= MAX_EFFECTS:
                await asyncio.wait(self._effects, return_when=asyncio.FIRST_COMPLETED)

    async def _run_loading(self) -> None:
        ended = 0.0
        while True:
            await self._to_load.wait()
            # A reading has a price of its own: where many must be read, those who come within a blink share it.
            if time.monotonic() - ended < GATHER_SECONDS:
                await asyncio.sleep(GATHER_SECONDS)
            self._to_load.clear()
            await self.load()
            ended = time.monotonic()
            if self._first_seen.has_more:
                self._to_load.set()

    def _take(self, arrivals: Sequence[Arrival]) -> None:
        present = self._now_ms()
        # Rows of ours about one message are at least a millisecond apart.
        now_ms = max([present, *(one.event.ts for one in arrivals if one.event.ts <= present + OWN_AHEAD_MS)])
        known: list[Arrival] = []
        for one in arrivals:
            # An event whose machine's clock is ahead is news once that time has come: the feed tells of it then.
            if one.event.ts > now_ms or not self._people.events.add(one):
                continue
            if one.joined and not self._people.is_joined(one.visitor, one.joined):
                self._join(one, now_ms)
            elif self._people.find_or_bear(one.visitor, now_ms) is not None:
                known.append(one)
            else:
                self._load(one)
        self._ask(known, now_ms)
        self._people.make_room(now_ms)

    def _join(self, one: Arrival, now_ms: int) -> None:
        """Have two ids read as one person, unless either is joined to others all the time."""
        alias = Visitor(one.visitor.site, one.joined)
        if self._first_seen.waits_joined(one) or self._join_pace.takes(one.visitor, alias, now_ms):
            self._people.forget(one.visitor)
            self._people.forget(alias)
            self._load(one)
        else:
            self._leave("joins", 1)

    def _load(self, one: Arrival) -> None:
        if self._completes_nothing(one.event.name):
            # Nobody is read for what no rule answers: the history that is read later has it.
            self._people.events.handle(one.key)
        elif self._first_seen.is_full:
            self._leave("readings_full", 1)
        else:
            self._first_seen.add(one)
            self._to_load.set()

    def _ask(self, arrivals: Iterable[Arrival], now_ms: int) -> None:
        """Ask about events of people in memory."""
        by_state: defaultdict[PersonState, list[Arrival]] = defaultdict(list)
        for one in arrivals:
            state = self._people.find(one.visitor)
            if self._people.events.is_handled(one.key):
                continue
            if state is None:
                # An event that came together with this one has joined its visitor to somebody.
                self._load(one)
            else:
                by_state[state].append(one)
        ready: list[News] = []
        people: dict[Visitor, PersonState] = {}
        for state, theirs in by_state.items():
            if self._lane.takes(state, theirs):
                self._set_apart(state, [one.as_news() for one in theirs], now_ms, "rewriting")
            else:
                timely = [one.as_news() for one in self._timely(state, theirs)]
                people |= {item.visitor: state for item in timely}
                ready += timely
        if ready:
            self._answer(Question(ready, (), people), now_ms)

    def _answer(self, question: Question, now_ms: int) -> None:
        """Ask about events that their people know of; whoever takes long, or makes us err, is asked about apart."""
        try:
            fired, slow = self._evaluation.ask(question, now_ms)
            for state in slow:
                self._set_apart(state, question.only(state).news, now_ms, "budget")
            question = question.without(slow) if slow else question
            matches = ((one.state, one.match.event) for one in fired)
            whole = {(each, event.event_id): self._people.events.whole(each.person, event) for each, event in matches}
            effects = self._evaluation.fire(question, fired, whole, now_ms)
        except Exception:  # noqa: BLE001 - a mistake about one person must not stop what is asked of others
            _log.exception("asked_apart_after_mistake")
            self._metrics.steps_failed.labels("bus").inc()
            for state in set(question.people.values()):
                self._set_apart(state, question.only(state).news, now_ms, "mistake")
            return
        for item in question.news:
            self._people.events.handle(item.identity)
        self._metrics.events_handled_by("bus").inc(len(question.news))
        if effects is not None:
            task = asyncio.create_task(self._store(effects, question), name="effects of firings")
            self._effects.add(task)
            task.add_done_callback(self._effects.discard)

    def _set_apart(self, state: PersonState, news: Sequence[News], now_ms: int, reason: Reason) -> None:
        if self._lane.is_full:
            self._leave("lane_full", len(news))
        else:
            self._lane.add(state.key, news, (), now_ms, reason)

    def _timely(self, state: PersonState, arrivals: list[Arrival]) -> list[Arrival]:
        """Add events to their person, and return those that can be asked about now."""
        if self._people.take(state, arrivals):
            self._people.forget(state.key)
            self._leave("surroundings", len(arrivals))
            return []
        newest_seen = self._evaluation.newest_seen
        timely = []
        for one in arrivals:
            news = one.as_news()
            if is_late(news) or newest_seen.is_out_of_order(news, state.person):
                self._leave("late", 1)
            elif self._completes_nothing(one.event.name):
                # Not asked about, so that what a page tells a moment later of a moment before is not out of order.
                self._people.events.handle(one.key)
            else:
                timely.append(one)
        return timely

    def _completes_nothing(self, event: str) -> bool:
        """Tell whether an event about a message is none that a rule answers."""
        return event in MESSAGE_EVENTS and not self._evaluation.rules.completed_by(event)

    async def _store(self, effects: Effects, question: Question) -> None:
        try:
            await effects
        except JournalError as error:
            _log.error("firings_not_stored", error=error.message, remedy=error.hint)
            self._ask_again(question)
        except Exception:  # noqa: BLE001 - a mistake of ours in one answer must not lose it
            _log.exception("firings_not_stored")
            self._evaluation.take_back(question)
            self._ask_again(question)

    def _ask_again(self, question: Question) -> None:
        for item in question.news:
            self._people.events.reopen(item.identity)
        self.unanswered.add(question.news)
        self._leave("not_stored", len(question.news))

    def _leave(self, reason: str, count: int) -> None:
        self._metrics.events_left.labels(reason).inc(count)


def _is_of_one_instant(one: tuple[EventRow, int], other: tuple[EventRow, int]) -> bool:
    return one[1] == other[1] and one[0].ts == other[0].ts
