"""Waits of events that came late: they run out by the event's own time, which is over before the feed's slice says."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from trigger_worker.live.candidates import is_late
from trigger_worker.live.live_rules import Wait
from trigger_worker.store.feed import Anchor, News

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
