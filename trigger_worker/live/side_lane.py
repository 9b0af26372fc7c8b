"""People who are asked about apart, one portion of work after another, so that nobody else waits for them.

They are here because their answers take more work than a turn may, or because a question about them ended in a mistake
of ours. What comes of them meanwhile waits here, too, and the cursor of the feed stays behind it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, Literal, TypeVar

import msgspec
import structlog

from trigger_worker.live.sweep import Due
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.people.arrival import Arrival
from trigger_worker.people.state import PersonState
from trigger_worker.store.feed import Anchor, News
from trigger_worker.store.people import Visitor
from warehouse.errors import JournalError, WarehouseError

#: Most events and waits that wait here. Beyond it the bus leaves them to the sweep, and the sweep waits for room.
MAX_WAITING: Final = 20_000
#: People who are asked about at the same time, so that one whose reading takes long holds up no other.
RUNNERS: Final = 2
#: How long everybody else has the loop after a portion, as a multiple of what it took: a fifth of the time is used.
REST: Final = 4.0
RETRY_SECONDS: Final = 1.0
#: Most events of a history that are put in order anew for events that come before them, where others wait.
MAX_REWRITTEN: Final = 2_000
#: After so many mistakes in a row the events are given up: others would wait for ever for the cursor to move on.
MAX_MISTAKES: Final = 3

Reason = Literal["budget", "rewriting", "mistake"]
Result = TypeVar("Result")
_log = structlog.get_logger("trigger_worker.live.side_lane")


class SlowQuestion(msgspec.Struct):
    """What is new about one person who is asked about apart.

    Args:
        now_ms: the latest instant asked about, epoch ms.
        news: the events, by identity.
        due: waits that are over: their length (ms) and the event that started it.
        mistakes: how many questions in a row ended in a mistake of ours.
    """

    now_ms: int
    news: dict[tuple[Visitor, str], News] = {}
    due: set[tuple[int, Anchor]] = set()
    mistakes: int = 0

    def __len__(self) -> int:
        return len(self.news) + len(self.due)

    @property
    def oldest(self) -> int:
        """When the first of them came, epoch ms: from then on the feed tells of all of them again."""
        news = (item.visible_at for item in self.news.values())
        return min([self.now_ms, *news, *(anchor.visible_at + wait_ms for wait_ms, anchor in self.due)])

    def join(self, other: SlowQuestion) -> None:
        """Add what another question about the person asks."""
        self.now_ms = max(self.now_ms, other.now_ms)
        self.news |= other.news
        self.due |= other.due
        self.mistakes = max(self.mistakes, other.mistakes)


#: Asks about a person, by way of `SideLane.paced`, and stores what fires. It returns whether that was done, or the
#: person changed so often that it was not, and raises WarehouseError or JournalError when it could not be.
Asks = Callable[[SlowQuestion], Awaitable[bool]]


class SideLane:
    """The people who are asked about apart.

    Args:
        metrics: counts them.
        now_ms: returns the present, in epoch ms.
    """

    def __init__(self, metrics: WorkerMetrics, now_ms: Callable[[], int]) -> None:
        self._metrics = metrics
        self._now_ms = now_ms
        self._waiting: dict[Visitor, SlowQuestion] = {}
        self._asked: dict[Visitor, SlowQuestion] = {}
        #: When questions were over, and what their oldest event was; their rows may be in the journal still.
        self._over: deque[tuple[int, int]] = deque()
        self._arrived = asyncio.Event()
        self._ended = asyncio.Event()
        self._turn = asyncio.Lock()

    def __len__(self) -> int:
        return sum(map(len, (*self._waiting.values(), *self._asked.values())))

    @property
    def is_full(self) -> bool:
        """Whether nothing more should be added."""
        return len(self) >= MAX_WAITING

    def holds(self, person: Visitor) -> bool:
        """Tell whether a person, by their own id, is asked about here."""
        return person in self._waiting or person in self._asked

    def takes(self, state: PersonState, arrivals: Iterable[Arrival]) -> bool:
        """Tell whether a person is to be asked about here because of events that arrived, rather than with others."""
        return self.holds(state.key) or state.rewriting(arrivals) > MAX_REWRITTEN

    def add(self, person: Visitor, news: Iterable[News], due: Due, now_ms: int, reason: Reason) -> None:
        """Have a person asked about here.

        Args:
            person: the person's own id.
            news: events, as in a question.
            due: waits that are over.
            now_ms: the latest instant asked about, epoch ms.
            reason: why.
        """
        if not self.holds(person):
            self._metrics.people_apart.labels(reason).inc()
        over = {(wait.wait_ms, anchor) for wait, anchors in due for anchor in anchors}
        self._put(person, SlowQuestion(now_ms, {item.identity: item for item in news}, over))

    async def run(self, ask: Asks) -> None:
        """Ask about people until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(RUNNERS):
                tasks.create_task(self._run(ask), name=f"people apart {number}")

    async def settle(self, ask: Asks) -> None:
        """Ask about everybody who waits, once."""
        for _ in range(len(self._waiting)):
            await self._next(ask)

    async def has_room(self) -> None:
        """Return once something more may be added."""
        while self.is_full:
            self._ended.clear()
            await self._ended.wait()

    async def paced(self, work: Callable[[], Result]) -> Result:
        """Do a portion of work, one at a time over all runners, and leave the loop to others for a while."""
        async with self._turn:
            started = time.thread_time()
            result = work()
            await asyncio.sleep(REST * (time.thread_time() - started))
        return result

    def forget_erased(self, is_erased: Callable[[str, str], bool]) -> None:
        """Forget the questions about people who were erased."""
        for person in [each for each in self._waiting if is_erased(each.site, each.visitor_id)]:
            del self._waiting[person]
        self._metrics.events_apart.set(len(self))
        self._ended.set()

    def oldest(self, in_journal_since: int | None) -> Sequence[int]:
        """Return since when the feed must be read again for what is asked here, epoch ms, or nothing.

        Args:
            in_journal_since: the instant of the oldest row of ours that is not in ClickHouse, epoch ms; None for none.
        """
        while self._over and (in_journal_since is None or self._over[0][0] < in_journal_since):
            self._over.popleft()
        asked = [question.oldest for question in (*self._waiting.values(), *self._asked.values())]
        return [min([*asked, *(oldest for _, oldest in self._over)])] if asked or self._over else []

    def _put(self, person: Visitor, question: SlowQuestion) -> None:
        known = self._waiting.get(person)
        if known is None:
            self._waiting[person] = question
        else:
            known.join(question)
        self._metrics.events_apart.set(len(self))
        self._arrived.set()

    async def _run(self, ask: Asks) -> None:
        while True:
            self._arrived.clear()
            if not await self._next(ask):
                await self._arrived.wait()

    async def _next(self, ask: Asks) -> bool:
        """Ask about the person who waits for longest and is not asked about now; tell whether there is one."""
        person = next((each for each in self._waiting if each not in self._asked), None)
        if person is None:
            return False
        question = self._asked[person] = self._waiting.pop(person)
        try:
            is_over = await self._try(ask, question)
        except BaseException:
            is_over = False
            raise
        finally:
            del self._asked[person]
            if is_over:
                self._over.append((self._now_ms(), question.oldest))
            else:
                self._put(person, question)
            self._metrics.events_apart.set(len(self))
            # Who waited because this one was asked about is next.
            self._arrived.set()
            self._ended.set()
        return True

    async def _try(self, ask: Asks, question: SlowQuestion) -> bool:
        """Ask about a person; tell whether the question is over, answered or given up."""
        try:
            return await ask(question)
        except (WarehouseError, JournalError) as error:
            _log.warning("not_asked_apart", error=error.message, remedy=error.hint)
        except Exception:  # noqa: BLE001 - a mistake of ours about one person must not stop what is asked of others
            question.mistakes += 1
            self._metrics.steps_failed.labels("apart").inc()
            if question.mistakes >= MAX_MISTAKES:
                _log.exception(
                    "events_given_up",
                    count=len(question),
                    remedy="report the mistake with this line; events of these people that follow are asked about",
                )
                self._metrics.events_given_up.inc(len(question))
                return True
            _log.exception("not_asked_apart")
        await asyncio.sleep(RETRY_SECONDS)
        return False
