"""What starts a wait, read some seconds before the wait runs out: a tick for which nothing is due asks nothing."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from trigger_worker.live.candidates import is_late
from trigger_worker.live.live_rules import Wait
from trigger_worker.store.feed import Anchor, News, read_anchors
from warehouse.connection import Warehouse

#: How far ahead is read.
READ_AHEAD_MS: Final = 30_000


class ReadAhead(msgspec.Struct, frozen=True):
    """The anchors of one wait.

    Args:
        read_to: their waits run out up to then, epoch milliseconds.
        anchors: in the order in which their waits run out.
        place: the first of them that still waits.
    """

    read_to: int
    anchors: Sequence[Anchor] = ()
    place: int = 0

    def take(self, wait: Wait, now_ms: int) -> tuple[Sequence[Anchor], ReadAhead]:
        """Return the anchors whose wait has run out, and what is left without them."""
        end = bisect_right(self.anchors, now_ms - wait.wait_ms, lo=self.place, key=lambda anchor: anchor.visible_at)
        return self.anchors[self.place : end], ReadAhead(self.read_to, self.anchors, end)


def read_on(warehouse: Warehouse, wait: Wait, known: ReadAhead, now_ms: int, overlap_ms: int) -> ReadAhead:
    """Return the anchors at least up to `now_ms`, asking ClickHouse only when it is not known already.

    Args:
        warehouse: where the feed is.
        wait: which events start it, and how long it is.
        known: what was read before.
        now_ms: epoch milliseconds.
        overlap_ms: how long after its stamp a row may become visible. Only what is older is read ahead, and a
            shorter wait meets rows that could not be seen when their time was first looked at.
    """
    if known.read_to >= now_ms:
        return known
    settled = wait.wait_ms - overlap_ms
    read_to = now_ms + min(READ_AHEAD_MS, max(0, settled))
    since = known.read_to - wait.wait_ms + min(0, settled)
    found = read_anchors(warehouse, wait.names, since, read_to - wait.wait_ms)
    return ReadAhead(read_to, [*known.anchors[known.place :], *found])


#: Most timers at a time. What is beyond, like what a restart forgets, is asked about when its time in the feed comes:
#: the same match, later.
MAX_TIMERS: Final = 100_000


class LateTimer(msgspec.Struct, frozen=True):
    """A wait of `wait_ms` that `anchor` started and that is over at `due_at`, epoch milliseconds."""

    due_at: int
    wait_ms: int
    anchor: Anchor


class LateTimers(msgspec.Struct, frozen=True):
    """Timers in the order in which they are due."""

    timers: Sequence[LateTimer] = ()

    def start(self, news: Iterable[News], waits: Sequence[Wait], now_ms: int) -> LateTimers:
        """Return these and a timer for each wait that late news started and that is not over.

        A wait that is over already needs none: late news is asked about at once.
        """
        started = [
            LateTimer(item.ts + wait.wait_ms, wait.wait_ms, _anchor(item))
            for item in news
            if is_late(item)
            for wait in waits
            if item.ts + wait.wait_ms > now_ms and wait.is_started_by(item.event)
        ]
        if not started:
            return self
        return LateTimers(sorted([*self.timers, *started], key=_due_at)[:MAX_TIMERS])

    def take(self, now_ms: int) -> tuple[Sequence[LateTimer], LateTimers]:
        """Return the timers that are due, and those that are not."""
        end = bisect_right(self.timers, now_ms, key=_due_at)
        return (self.timers[:end], LateTimers(self.timers[end:])) if end else ((), self)


def _anchor(item: News) -> Anchor:
    return Anchor(item.visitor, item.event, item.ts, item.visible_at)


def _due_at(timer: LateTimer) -> int:
    return timer.due_at
