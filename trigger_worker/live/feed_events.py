"""Events as the feed tells of them: all that the bus did not bring, and the waits that are over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final

import structlog

from trigger_worker.live.evaluation import Evaluation, Question
from trigger_worker.live.side_lane import SideLane, SlowQuestion
from trigger_worker.live.sweep import Due, Sweep, portions_of_people
from trigger_worker.live.turn import Fired
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.people.arrival import Arrival
from trigger_worker.people.memory import People
from trigger_worker.people.source import PeopleSource
from trigger_worker.people.state import PersonState
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.store.events import read_whole_events
from trigger_worker.store.feed import News
from trigger_worker.store.people import Person, Visitor, find_people
from warehouse.errors import JournalError, WarehouseError
from warehouse.queries import Queries
from warehouse.threads import Threads

#: A turn that needs events that are not at hand is taken again once they are read; people may change meanwhile.
MAX_TURNS: Final = 5
#: Events that are looked at, about, before everybody else has the loop, where a person is asked about apart.
PORTION: Final = 4_000

_Whole = dict[tuple[Visitor, str], Event]
_log = structlog.get_logger("trigger_worker.live.feed_events")


class FeedEvents:
    """Asks rules about what a sweep found and the bus did not bring, and about people who are asked about apart.

    Args:
        queries: the ClickHouse database with the events.
        evaluation: asks the rules.
        people, source: the people in memory, and those to be read.
        lane: takes people whose answers take long.
        metrics: counts events.
    """

    def __init__(
        self,
        queries: Queries,
        evaluation: Evaluation,
        people: People,
        source: PeopleSource,
        lane: SideLane,
        metrics: WorkerMetrics,
    ) -> None:
        self._queries = queries
        self._evaluation = evaluation
        self._people = people
        self._source = source
        self._lane = lane
        self._metrics = metrics
        self._threads = Threads("sweep", 1)
        self._threads_apart = Threads("apart", 1)

    def close(self) -> None:
        """End the threads."""
        self._threads.close()
        self._threads_apart.close()

    async def ask(self, found: Sweep, again: Sequence[News]) -> None:
        """Ask about a sweep; return once what fires is stored, but for people who are asked about apart.

        Args:
            found: the sweep.
            again: events whose answers could not be stored before.

        Raises:
            WarehouseError: somebody or something could not be read.
            JournalError: what fires could not be stored.

        Cost: nothing when the bus brought everything; else as `find_people` and `PeopleSource.of`, and one query for
        the events of people in memory for each `MAX_TOGETHER` people.
        """
        news = [item for item in [*again, *found.news] if not self._people.events.is_handled(item.identity)]
        started = {anchor.visitor for _, anchors in found.due for anchor in anchors}
        people = await self._recognise({item.visitor for item in news} | started)
        for portion, due in portions_of_people(news, found, people):
            await self._lane.has_room()
            try:
                await self._ask(portion, due, found.now_ms)
            except (WarehouseError, JournalError):
                raise
            except Exception:  # noqa: BLE001 - a mistake about one person must not stop what is asked of others
                _log.exception("asked_apart_after_mistake")
                self._metrics.steps_failed.labels("sweep").inc()
                self._part_all(portion, due, people, found.now_ms)
        self._metrics.events_handled_by("sweep").inc(len(news))
        if news:
            self._metrics.lag_seconds.set((found.now_ms - news[0].visible_at) / 1000)

    async def ask_apart(self, asked: SlowQuestion) -> bool:
        """Ask about a person a portion at a time; `Asks` says what it returns and raises."""
        waits = {wait.wait_ms: wait for wait in self._evaluation.rules.waits}
        # A wait whose rules are gone has nobody to ask about.
        due = [(waits[wait_ms], [anchor]) for wait_ms, anchor in asked.due if wait_ms in waits]
        news, now_ms = list(asked.news.values()), asked.now_ms
        await self._read_news(news, now_ms, self._threads_apart)
        whole: _Whole = {}
        for _ in range(MAX_TURNS):
            rules = self._evaluation.rules
            question = await self._gather(news, due, now_ms, apart=True)
            fired = await self._ask_in_portions(question, now_ms)
            missing = [one for one in fired if _key(one) not in whole]
            if missing:
                whole |= await self._read_whole(missing, self._threads_apart)
            # Others had their turns meanwhile: a person may be another by now, and the rules, too.
            if rules is self._evaluation.rules and self._are_current(question):
                await self._fire(question, fired, whole, now_ms)
                return True
        return False

    async def _recognise(self, visitors: set[Visitor]) -> Mapping[Visitor, Person]:
        """Return the person behind each visitor; whoever in memory is another person now is forgotten.

        An event that the bus did not bring may have joined two.
        """
        if not visitors:
            return {}
        joins = self._people.events.joins()
        found = await self._threads.run(find_people, self._queries, visitors, joins)
        self._people.recognise(found.values())
        return found

    async def _ask(self, news: Sequence[News], due: Due, now_ms: int) -> None:
        """Ask about some visitors; return once what fires is stored."""
        await self._read_news(news, now_ms, self._threads)
        question = await self._gather(news, due, now_ms)
        fired, question = self._answers(question, now_ms)
        whole: _Whole = {}
        for _ in range(MAX_TURNS):
            missing = [one for one in fired if _key(one) not in whole]
            if not missing:
                break
            whole |= await self._read_whole(missing, self._threads)
            # People may have changed while events were read.
            question = await self._gather(question.news, question.due, now_ms)
            fired, question = self._answers(question, now_ms)
        await self._fire(question, fired, whole, now_ms)

    def _answers(self, question: Question, now_ms: int) -> tuple[list[Fired], Question]:
        """Return what fires, and the question without those who take longer than a turn may."""
        fired, slow = self._evaluation.ask(question, now_ms)
        for state in slow:
            theirs = question.only(state)
            self._lane.add(state.key, theirs.news, theirs.due, now_ms, "budget")
        return fired, question.without(slow) if slow else question

    async def _ask_in_portions(self, question: Question, now_ms: int) -> list[Fired]:
        fired: list[Fired] = []
        for each in self._evaluation.turns(question, now_ms):
            while not await self._lane.paced(partial(each.go_on, PORTION)):
                pass
            fired += self._evaluation.end_turn(each)
        return fired

    def _are_current(self, question: Question) -> bool:
        return all(self._people.find(visitor) is state for visitor, state in question.people.items())

    async def _fire(self, question: Question, fired: Sequence[Fired], whole: _Whole, now_ms: int) -> None:
        by_state = {(one.state, _key(one)[1]): whole[_key(one)] for one in fired if _key(one) in whole}
        effects = self._evaluation.fire(question, fired, by_state, now_ms)
        for item in question.news:
            self._people.events.handle(item.identity)
        if effects is not None:
            try:
                await effects
            except BaseException:
                # The next sweep finds them again, and must ask again.
                self._evaluation.take_back(question)
                for item in question.news:
                    self._people.events.reopen(item.identity)
                raise
        self._people.make_room(now_ms)

    async def _gather(self, news: Sequence[News], due: Due, now_ms: int, *, apart: bool = False) -> Question:
        """Return the question with the people behind it, who know of the news.

        Args:
            news, due: what is new.
            now_ms: epoch ms.
            apart: whether it is about somebody who is asked about apart; others who are to be are left out of it.
        """
        visitors = {item.visitor for item in news} | {anchor.visitor for _, anchors in due for anchor in anchors}
        instants = [item.ts for item in news] + [
            anchor.ts + wait.wait_ms for wait, anchors in due for anchor in anchors
        ]
        since = min(instants, default=now_ms)
        people = await self._source.of(visitors, now_ms, since=since, apart=apart)
        question = Question(news, due, people)
        if not apart:
            question = self._part(question, now_ms)
        misfits = self._take_news(question)
        if misfits:
            # Read anew, once: the table has the events that the feed tells of.
            for visitor in misfits:
                self._people.forget(visitor)
            people = await self._source.of(question.people, now_ms, since=since, apart=apart)
            question = Question(question.news, question.due, people)
        return question

    def _part_all(self, news: Sequence[News], due: Due, people: Mapping[Visitor, Person], now_ms: int) -> None:
        """Have each of some people asked about alone."""
        for item in news:
            self._lane.add(_own_id(people[item.visitor]), [item], (), now_ms, "mistake")
        for wait, anchors in due:
            for anchor in anchors:
                self._lane.add(_own_id(people[anchor.visitor]), (), [(wait, [anchor])], now_ms, "mistake")

    def _part(self, question: Question, now_ms: int) -> Question:
        """Set apart whoever costs too much to be asked about with others; return the question about the others."""
        slow = [state for state, news in _by_person(question) if self._lane.takes(state, self._arrivals(news))]
        for state in slow:
            theirs = question.only(state)
            self._lane.add(state.key, theirs.news, theirs.due, now_ms, "rewriting")
        return question.without(slow) if slow else question

    def _take_news(self, question: Question) -> list[Visitor]:
        """Add events to their people where they are not known; return those who must be read anew instead."""
        people = _by_person(question)
        return [state.key for state, news in people if self._people.take(state, self._arrivals(news))]

    def _arrivals(self, news: Iterable[News]) -> list[Arrival]:
        found = (self._people.events.find(item.identity) for item in news)
        return [arrival for arrival in found if arrival is not None]

    async def _read_news(self, news: Sequence[News], now_ms: int, threads: Threads) -> None:
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
        read = await threads.run(read_whole_events, self._queries, wanted, min(item.ts for item in unread))
        for item in unread:
            event = read.get((people[item.visitor].person, item.event_id))
            if event is not None:
                self._people.events.add(Arrival(item.visitor, event, now_ms))
        self._people.events.tell((item.identity for item in unread), now_ms)

    async def _read_whole(self, fired: Sequence[Fired], threads: Threads) -> _Whole:
        """Return the events that completed matches, with all of their fields."""
        found: _Whole = {}
        unread: list[Fired] = []
        for one in fired:
            event = self._people.events.whole(one.state.person, one.match.event)
            if event is one.match.event:
                unread.append(one)
            found[_key(one)] = event
        if unread:
            wanted = [(one.state.person, one.match.event.event_id) for one in unread]
            since = min(one.match.event.ts for one in unread)
            read = await threads.run(read_whole_events, self._queries, wanted, since)
            found |= {
                _key(one): read.get((one.state.person, one.match.event.event_id), one.match.event) for one in unread
            }
        return found


def _own_id(person: Person) -> Visitor:
    return Visitor(person.site, person.visitor_id)


def _by_person(question: Question) -> Sequence[tuple[PersonState, list[News]]]:
    """Return the people of a question, each with the news about them."""
    news: dict[PersonState, list[News]] = {state: [] for state in question.people.values()}
    for item in question.news:
        news[question.people[item.visitor]].append(item)
    return list(news.items())


def _key(one: Fired) -> tuple[Visitor, str]:
    return one.state.key, one.match.event.event_id
