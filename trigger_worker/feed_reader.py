"""Reads the feed without missing a row: news since the cursor, and anchors whose wait has run out."""

from __future__ import annotations

from typing import Final

import msgspec

from trigger_worker.candidates import Candidates, NewestSeen
from trigger_worker.live_rules import LiveRules, Wait
from trigger_worker.reading.feed import MAX_NEWS, News, read_anchors, read_news
from warehouse.connection import Warehouse

#: How far back news is read again: parallel inserts were measured to show a row up to 250 ms after its stamp.
OVERLAP_MS: Final = 2_000
#: Waits of an hour and more are looked at this often; nobody notices five seconds after an hour.
LONG_WAIT_MS: Final = 3_600_000
LONG_WAIT_INTERVAL_MS: Final = 5_000


class Position(msgspec.Struct, frozen=True):
    """How far the feed was read.

    Args:
        news_to: epoch milliseconds up to which news was read.
        waited_to: by wait in milliseconds, epoch milliseconds up to which it was looked at.
        seen: ids of the events in the overlap, with the time of their storing.
    """

    news_to: int
    waited_to: dict[int, int]
    seen: dict[str, int]


class Reading(msgspec.Struct, frozen=True):
    """What one look at the feed found.

    Args:
        news: what had not been seen before.
        candidates: whom to ask what.
        complete: False when there was more than one tick takes.
        position: where the reader stands once this is dealt with.
    """

    news: list[News]
    candidates: Candidates
    complete: bool
    position: Position


class FeedReader:
    """Up to where the feed was read.

    Args:
        warehouse: where the feed is.
        read_to: epoch milliseconds by ClickHouse's clock up to which an earlier run had read.
    """

    def __init__(self, warehouse: Warehouse, read_to: int) -> None:
        self._warehouse = warehouse
        self._started_at = read_to
        self._position = Position(news_to=read_to, waited_to={}, seen={})
        self._newest_seen = NewestSeen()

    @property
    def read_to(self) -> int:
        """Epoch milliseconds up to which nothing needs to be read again."""
        return min([self._position.news_to, *self._position.waited_to.values()])

    def read(self, rules: LiveRules, now_ms: int) -> Reading:
        """Return what is new, and what is due, at `now_ms` by ClickHouse's clock; `accept` it when it is dealt with."""
        candidates = Candidates(rules)
        found = read_news(self._warehouse, self._position.news_to - OVERLAP_MS)
        complete = len(found) < MAX_NEWS
        news = [item for item in found if item.event_id not in self._position.seen]
        candidates.add_news(news, self._newest_seen)
        waited_to = {wait.wait_ms: self._read_due(wait, candidates, now_ms) for wait in rules.waits}
        news_to = now_ms if complete else found[-1].ingested_at
        return Reading(news, candidates, complete, Position(news_to, waited_to, self._seen(found, news_to)))

    def accept(self, reading: Reading) -> None:
        """Move on: what was found is stored, and need not be found again."""
        self._position = reading.position

    def _seen(self, found: list[News], news_to: int) -> dict[str, int]:
        horizon = news_to - 2 * OVERLAP_MS
        seen = {**self._position.seen, **{item.event_id: item.ingested_at for item in found}}
        return {event_id: at for event_id, at in seen.items() if at > horizon}

    def _read_due(self, wait: Wait, candidates: Candidates, now_ms: int) -> int:
        """Add what has waited long enough, and return up to when that is known now."""
        read_to = self._position.waited_to.get(wait.wait_ms, self._started_at)
        if wait.wait_ms >= LONG_WAIT_MS and now_ms - read_to < LONG_WAIT_INTERVAL_MS:
            return read_to
        # A wait shorter than the overlap meets rows that were not visible when their time was first looked at.
        since = read_to - wait.wait_ms - max(0, OVERLAP_MS - wait.wait_ms)
        anchors = read_anchors(self._warehouse, wait.names, since, now_ms - wait.wait_ms)
        candidates.add_due(wait, anchors)
        return now_ms
