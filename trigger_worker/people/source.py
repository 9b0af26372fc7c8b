"""Find people in memory, and read the others from ClickHouse in bounded batches, in threads of their own.

A join of two ids costs a reading of both, and a page may say with each event that it is somebody else: how often one id
is joined is counted here, too.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from trigger_worker.metrics import WorkerMetrics
from trigger_worker.people.memory import People
from trigger_worker.people.reading import read_people
from trigger_worker.people.state import PersonState
from trigger_worker.rules.language.duration import DAY_MS
from trigger_worker.store.people import Visitor
from trigger_worker.store.windows import Wanted, combine
from warehouse.queries import Queries
from warehouse.threads import Threads

#: Most visitors who are read together: a page waits for the slowest of them.
MAX_TOGETHER: Final = 50
#: Readings at the same time.
READERS: Final = 2
#: People are read as complete for instants so much before now, so that an event of a moment ago needs no other reading.
SLACK_MS: Final = 60_000
#: How far back everything is read that more than the live rules look at.
LASTING_MS: Final = 400 * DAY_MS
#: Joins of one browser, or to one user, that are read about at once within a minute. Who has more devices than that, or
#: more accounts, is known to the next sweep.
JOINS_A_MINUTE: Final = 6
#: Most ids whose joins are counted; the one that was not joined for longest is forgotten first.
MAX_IDS: Final = 100_000
_MINUTE_MS: Final = 60_000


class PeopleSource:
    """The people in memory, and in ClickHouse.

    Args:
        queries: the ClickHouse database.
        people: the people in memory.
        metrics: counts readings.
    """

    def __init__(self, queries: Queries, people: People, metrics: WorkerMetrics) -> None:
        self._queries = queries
        self._people = people
        self._metrics = metrics
        self._threads = Threads("people", READERS)
        self._threads_apart = Threads("people apart", 1)

    def close(self) -> None:
        """End the threads."""
        self._threads.close()
        self._threads_apart.close()

    async def of(
        self,
        visitors: Iterable[Visitor],
        now_ms: int,
        wanted: Wanted | None = None,
        since: int | None = None,
        *,
        apart: bool = False,
    ) -> dict[Visitor, PersonState]:
        """Return the person behind each visitor, read where needed.

        Args:
            visitors: any ids.
            now_ms: epoch ms.
            wanted: the part of the history that must be there; None for what the live rules look at.
            since: the earliest instant that will be asked about, epoch ms; None for about now.
            apart: whether this may take long, so that nobody else's reading is to wait for it.

        Raises:
            WarehouseError: somebody could not be read.

        Cost: nothing for people in memory; as `read_people` for each `MAX_TOGETHER` of the others.
        """
        self._widen(wanted)
        asked = list(dict.fromkeys(visitors))
        while True:
            found = {visitor: state for visitor in asked if (state := self._known(visitor, since)) is not None}
            unknown = [visitor for visitor in asked if visitor not in found]
            if not unknown:
                # All at the same instant: whoever is read may be forgotten while others are.
                return found
            for first in range(0, len(unknown), MAX_TOGETHER):
                await self._read(unknown[first : first + MAX_TOGETHER], now_ms, since, apart=apart)

    def _known(self, visitor: Visitor, since: int | None) -> PersonState | None:
        state = self._people.find(visitor)
        if state is not None and since is not None and state.since > since:
            self._people.forget(visitor)
            return None
        return state

    def _widen(self, wanted: Wanted | None) -> None:
        """Have people read anew who were read with less than is wanted, as an older version of a rule may need."""
        scope = self._people.scope
        if wanted is not None and not scope.wanted.covers(wanted):
            # As far back as anything is read: what a goal needs grows by the hour, and would be asked for each time.
            lasting = msgspec.structs.replace(wanted, lookback_ms=dict.fromkeys(wanted.lookback_ms, LASTING_MS))
            self._people.look_at(msgspec.structs.replace(scope, wanted=combine([scope.wanted, wanted, lasting])))

    async def _read(self, visitors: Sequence[Visitor], now_ms: int, since: int | None, *, apart: bool) -> None:
        scope, joins = self._people.scope, self._people.events.joins()
        earliest = now_ms - SLACK_MS if since is None else min(since, now_ms) - SLACK_MS
        with self._metrics.load_seconds.time():
            threads = self._threads_apart if apart else self._threads
            read = await threads.run(read_people, self._queries, visitors, scope, earliest, now_ms, joins)
        self._metrics.people_loaded.inc(len(visitors))
        # Where rules changed meanwhile, what was read may be too little, and is read again.
        if self._people.scope is scope:
            self._people.receive(read)


class _Count(msgspec.Struct):
    began_at: int
    joins: int = 0


class JoinPace:
    """Counts the joins of each id."""

    def __init__(self) -> None:
        self._counts: OrderedDict[Visitor, _Count] = OrderedDict()

    def takes(self, user: Visitor, browser: Visitor, now_ms: int) -> bool:
        """Count a join of a browser to a user; tell whether both may be read about at once.

        Args:
            user, browser: the ids.
            now_ms: epoch ms.
        """
        counts = [self._count(user, now_ms), self._count(browser, now_ms)]
        if any(count.joins >= JOINS_A_MINUTE for count in counts):
            return False
        for count in counts:
            count.joins += 1
        return True

    def _count(self, visitor: Visitor, now_ms: int) -> _Count:
        count = self._counts.get(visitor)
        if count is None or now_ms - count.began_at >= _MINUTE_MS:
            count = self._counts[visitor] = _Count(now_ms)
        self._counts.move_to_end(visitor)
        if len(self._counts) > MAX_IDS:
            self._counts.popitem(last=False)
        return count
