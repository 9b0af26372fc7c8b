"""The sweep of ClickHouse's feed: new events since the cursor, and waits that ran out, without missing a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

import msgspec

from trigger_worker.live.live_rules import LiveRules, Wait
from trigger_worker.live.waits import LateTimers, ReadAhead, read_on
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.rules.evaluate.event import LATE_MS
from trigger_worker.store.feed import Anchor, News, read_news
from trigger_worker.store.people import Person, Visitor
from warehouse.connection import Warehouse
from warehouse.own_event import HISTORY_CHANGED

#: How far back the feed is read again: parallel inserts were measured to show a row up to 250 ms after its stamp.
OVERLAP_MS: Final = 2_000
#: Most new events in one sweep; the next one takes the rest.
MAX_NEWS: Final = 20_000

#: Most people who are asked about together.
MAX_TOGETHER: Final = 200
#: News and waits of longer ago are asked about apart: people are read as far back as the earliest of them.
SAME_TIME_MS: Final = 10_000


#: By event, when it became visible, epoch ms.
Seen = Mapping[tuple[Visitor, str], int]

#: The waits that are over, each with the events that started it.
Due = Sequence[tuple[Wait, Sequence[Anchor]]]

#: By wait (ms) and the names that start it, the anchors that were read ahead.
Ahead = Mapping[tuple[int, frozenset[str]], ReadAhead]


class Position(msgspec.Struct, frozen=True):
    """How far the feed was read.

    Args:
        news_to: up to when new events were read, epoch ms.
        ahead: by wait, the anchors that were read ahead.
        seen: the events in the overlap.
        late: the waits that late events started.
    """

    news_to: int
    ahead: Ahead
    seen: Seen
    late: LateTimers = LateTimers()


class Sweep(msgspec.Struct, frozen=True):
    """The outcome of one sweep.

    Args:
        now_ms: its instant, epoch ms.
        news: the events that no sweep found before.
        due: by wait, the events whose wait is over.
        changed_sites: sites whose people must be read anew: events were imported or erased.
        complete: False when there were more events than one sweep takes.
        position: how far the feed is read once this sweep is dealt with.
    """

    now_ms: int
    news: list[News]
    due: Due
    changed_sites: frozenset[str]
    complete: bool
    position: Position


class FeedSweep:
    """Reads the feed from a position on, again and again.

    Args:
        warehouse: the ClickHouse database with the feed.
        read_to: up to when an earlier run had read, epoch ms by ClickHouse's clock.
    """

    def __init__(self, warehouse: Warehouse, read_to: int) -> None:
        self._warehouse = warehouse
        # Further back, so that what comes out of order after a restart is known to.
        self._position = Position(news_to=read_to - LATE_MS, ahead={}, seen={})

    @property
    def read_to(self) -> int:
        """The instant up to which the feed need not be read again, epoch ms."""
        return self._position.news_to

    def read(self, rules: LiveRules, now_ms: int) -> Sweep:
        """Return the new events and the waits that are over at `now_ms`; `accept` the sweep when it is dealt with.

        Args:
            rules: the live rules.
            now_ms: epoch ms by ClickHouse's clock.

        Cost: one query of the feed since the last sweep; one a wait each time that its anchors were used up.
        """
        news, complete = self._read_unseen(now_ms)
        ahead, due = self._read_ahead(rules, now_ms)
        late_due, late = self._read_late(news, rules, now_ms)
        news_to = now_ms if complete else max(self._position.news_to, news[-1].visible_at)
        position = Position(news_to, ahead, self._seen(news, news_to), late)
        changed_sites = frozenset(item.visitor.site for item in news if item.event == HISTORY_CHANGED)
        events = [item for item in news if item.visitor.visitor_id]
        return Sweep(now_ms, events, due + late_due, changed_sites, complete, position)

    def go_back(self, since: int) -> None:
        """Read the feed again from an instant on, epoch ms: what is known to be handled is recognised."""
        if since < self._position.news_to:
            self._position = msgspec.structs.replace(self._position, news_to=since, seen={})

    def accept(self, reading: Sweep) -> None:
        """Move on: the firings of a sweep are stored, so that its events need not be found again."""
        self._position = reading.position

    def _read_unseen(self, now_ms: int) -> tuple[list[News], bool]:
        """Return new events, at most `MAX_NEWS`, and whether these are all; events seen before do not count."""
        fresh: dict[tuple[Visitor, str], News] = {}
        for item in read_news(self._warehouse, self._position.news_to - OVERLAP_MS, now_ms):
            if item.identity not in self._position.seen:
                fresh.setdefault(item.identity, item)
            if len(fresh) == MAX_NEWS:
                return list(fresh.values()), False
        return list(fresh.values()), True

    def _seen(self, news: Iterable[News], news_to: int) -> Seen:
        horizon = news_to - 2 * OVERLAP_MS
        known = {identity: at for identity, at in self._position.seen.items() if at > horizon}
        return known | {item.identity: item.visible_at for item in news if item.visible_at > horizon}

    def _read_late(
        self, news: list[News], rules: LiveRules, now_ms: int
    ) -> tuple[list[tuple[Wait, Sequence[Anchor]]], LateTimers]:
        """Return the waits of late events that are over, and the timers of the others."""
        due, waiting = self._position.late.start(news, rules.waits, now_ms).take(now_ms)
        # A wait whose rules are gone has nobody to ask about.
        waits = {wait.wait_ms: wait for wait in rules.waits}
        return [(waits[timer.wait_ms], [timer.anchor]) for timer in due if timer.wait_ms in waits], waiting

    def _read_ahead(self, rules: LiveRules, now_ms: int) -> tuple[Ahead, list[tuple[Wait, Sequence[Anchor]]]]:
        """Return the read-ahead of each wait, and the waits that are over; a new wait starts where the news does."""
        ahead: dict[tuple[int, frozenset[str]], ReadAhead] = {}
        due: list[tuple[Wait, Sequence[Anchor]]] = []
        for wait in rules.waits:
            key = (wait.wait_ms, wait.names)
            known = self._position.ahead.get(key, ReadAhead(self._position.news_to))
            over, ahead[key] = read_on(self._warehouse, wait, known, now_ms, OVERLAP_MS).take(wait, now_ms)
            if over:
                due.append((wait, over))
        return ahead, due


def portions_of_people(
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


#: Most events that are kept to be asked about again.
MAX_KEPT: Final = 20_000


class Unanswered:
    """Keeps events whose answers the disk refused for the next sweep; of too many, since when the feed has them.

    Args:
        metrics: counts those that do not fit.
    """

    def __init__(self, metrics: WorkerMetrics) -> None:
        self._metrics = metrics
        self._kept: list[News] = []
        self._left_since: int | None = None

    def add(self, news: Sequence[News]) -> None:
        """Keep events for the next sweep; what does not fit, it finds in the feed."""
        room = max(0, MAX_KEPT - len(self._kept))
        self._kept += news[:room]
        left = news[room:]
        if left:
            self._metrics.events_left.labels("again_full").inc(len(left))
            since = min(item.visible_at for item in left)
            self._left_since = since if self._left_since is None else min(since, self._left_since)

    def take(self) -> list[News]:
        """Return the events that are kept; they are kept no longer."""
        taken, self._kept = self._kept, []
        return taken

    def forget(self, is_erased: Callable[[str, str], bool]) -> None:
        """Forget the events of visitors of whom a function of site and id says so."""
        self._kept = [item for item in self._kept if not is_erased(item.visitor.site, item.visitor.visitor_id)]

    def take_left_since(self) -> int | None:
        """Return since when the feed has events that did not fit (epoch ms), None for none; they count no longer."""
        since, self._left_since = self._left_since, None
        return since

    def oldest(self) -> list[int]:
        """Return when the oldest of all these events became visible (epoch ms), or nothing."""
        left = [] if self._left_since is None else [self._left_since]
        kept = [min(item.visible_at for item in self._kept)] if self._kept else []
        return [*left, *kept]
