"""Waits that run out: their anchors are read from the feed some seconds ahead, or kept as timers when they came late.

A rule such as "no purchase within 15m" is asked when its wait is over; an anchor is the event that started the wait.
Reading ahead spares a query for each look at which nothing is due.
"""

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
    """The anchors of one wait, read ahead.

    Args:
        read_to: every wait that runs out up to then is in it, epoch ms.
        anchors: in the order in which their waits run out.
        place: the index of the first anchor that still waits.
    """

    read_to: int
    anchors: Sequence[Anchor] = ()
    place: int = 0

    def take(self, wait: Wait, now_ms: int) -> tuple[Sequence[Anchor], ReadAhead]:
        """Return the anchors whose wait has run out, and the read-ahead without them."""
        end = bisect_right(self.anchors, now_ms - wait.wait_ms, lo=self.place, key=lambda anchor: anchor.visible_at)
        return self.anchors[self.place : end], ReadAhead(self.read_to, self.anchors, end)


def read_on(warehouse: Warehouse, wait: Wait, known: ReadAhead, now_ms: int, overlap_ms: int) -> ReadAhead:
    """Return the anchors of a wait at least up to `now_ms`, asking ClickHouse only when they are not known yet.

    Args:
        warehouse: the ClickHouse database with the feed.
        wait: the events that start it, and its length.
        known: the anchors that were read before.
        now_ms: epoch ms.
        overlap_ms: how long after its stamp a row may become visible, ms. Only older rows are read ahead, and a
            shorter wait meets rows that could not be seen when their time was first looked at.

    Cost: one query of a slice of the feed each `READ_AHEAD_MS`, by its key.
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
    """A wait of `wait_ms` that `anchor` started and that is over at `due_at`, epoch ms."""

    due_at: int
    wait_ms: int
    anchor: Anchor


class LateTimers(msgspec.Struct, frozen=True):
    """Timers in the order in which they are due."""

    timers: Sequence[LateTimer] = ()

    def start(self, news: Iterable[News], waits: Sequence[Wait], now_ms: int) -> LateTimers:
        """Return these timers and one for each wait that a late event started and that is not over.

        A wait that is over already needs none: rules are asked about a late event at once.
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
        """Return the timers that are due, and the others."""
        end = bisect_right(self.timers, now_ms, key=_due_at)
        return (self.timers[:end], LateTimers(self.timers[end:])) if end else ((), self)


def _anchor(item: News) -> Anchor:
    return Anchor(item.visitor, item.event, item.ts, item.visible_at)


def _due_at(timer: LateTimer) -> int:
    return timer.due_at
