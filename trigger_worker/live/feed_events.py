"""Events as the feed tells of them: all that the bus did not bring, and the waits that are over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from trigger_worker.live.evaluation import Evaluation, Question
from trigger_worker.live.live_rules import Wait
from trigger_worker.live.sweep import Sweep
from trigger_worker.live.turn import Fired
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.people.arrival import Arrival
from trigger_worker.people.memory import People
from trigger_worker.people.source import PeopleSource
from trigger_worker.people.state import PersonState
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.store.events import read_whole_events
from trigger_worker.store.feed import Anchor, News
from trigger_worker.store.people import Person, Visitor, find_people
from warehouse.queries import Queries

#: Most people who are asked about together.
MAX_TOGETHER: Final = 200
#: News and waits of longer ago are asked about apart: people are read as far back as the earliest of them.
SAME_TIME_MS: Final = 10_000
#: A turn that needs events that are not at hand is taken again once they are read; people may change meanwhile.
MAX_TURNS: Final = 5


class FeedEvents:
    """Asks rules about what a sweep found and the bus did not bring.

    Args:
        queries: the ClickHouse database with the events.
        evaluation: asks the rules.
        people, source: the people in memory, and those to be read.
        metrics: counts events.
    """

    def __init__(
        self, queries: Queries, evaluation: Evaluation, people: People, source: PeopleSource, metrics: WorkerMetrics
    ) -> None:
        self._queries = queries
        self._evaluation = evaluation
        self._people = people
        self._source = source
        self._metrics = metrics

    async def ask(self, found: Sweep, again: Sequence[News]) -> None:
        """Ask about a sweep; return once what fires is stored.

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
        for portion, due in _portions(news, found, people):
            await self._ask(portion, due, found.now_ms)
        self._metrics.events_handled_by("sweep").inc(len(news))
        if news:
            self._metrics.lag_seconds.set((found.now_ms - news[0].visible_at) / 1000)

    async def _recognise(self, visitors: set[Visitor]) -> Mapping[Visitor, Person]:
        """Return the person behind each visitor; whoever in memory is another person now is forgotten.

        An event that the bus did not bring may have joined two.
        """
        if not visitors:
            return {}
        joins = self._people.events.joins()
        found = await asyncio.to_thread(find_people, self._queries, visitors, joins)
        self._people.recognise(found.values())
        return found

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
                self._evaluation.take_back(question)
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
        read = await asyncio.to_thread(read_whole_events, self._queries, wanted, min(item.ts for item in unread))
        for item in unread:
            event = read.get((people[item.visitor].person, item.event_id))
            if event is not None:
                self._people.events.add(Arrival(item.visitor, event, now_ms))
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
            read = await asyncio.to_thread(read_whole_events, self._queries, wanted, since)
            found |= {
                _key(one): read.get((one.state.person, one.match.event.event_id), one.match.event) for one in unread
            }
        return found


def _key(one: Fired) -> tuple[Visitor, str]:
    return one.state.key, one.match.event.event_id


def _portions(
    news: Iterable[News], found: Sweep, people: Mapping[Visitor, Person]
) -> Iterator[tuple[list[News], list[tuple[Wait, Sequence[Anchor]]]]]:
    """Split what is new by people, few enough to be asked about together; those asked about the past are apart."""
    items: dict[Person, list[News]] = {}
    anchors: dict[Person, list[tuple[Wait, Anchor]]] = {}
    past: set[Person] = set()
    for item in news:
        items.setdefault(people[item.visitor], []).append(item)
        if item.ts < found.now_ms - SAME_TIME_MS:
            past.add(people[item.visitor])
    for wait, started in found.due:
        for anchor in started:
            anchors.setdefault(people[anchor.visitor], []).append((wait, anchor))
            if anchor.ts + wait.wait_ms < found.now_ms - SAME_TIME_MS:
                past.add(people[anchor.visitor])
    everybody = items.keys() | anchors.keys()
    for persons in (everybody - past, past):
        waiting = iter(sorted(persons, key=lambda person: (person.site, person.visitor_id)))
        while together := list(islice(waiting, MAX_TOGETHER)):
            over = [each for one in together for each in anchors.get(one, ())]
            due: list[tuple[Wait, Sequence[Anchor]]] = [(wait, [anchor]) for wait, anchor in over]
            yield [item for one in together for item in items.get(one, ())], due
