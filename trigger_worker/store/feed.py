"""Read the feed: the events that became visible since an instant, and the events whose wait is now over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from trigger_worker.rules.language.syntax import ANY
from trigger_worker.store.people import Visitor
from trigger_worker.store.statements import statement
from warehouse.queries import Queries
from warehouse.vocabulary import MESSAGE_EVENTS

#: Rows of news in one query.
PAGE: Final = 20_000
#: Most milliseconds that a collector's clock may be ahead of ClickHouse's.
CLOCK_SKEW_MS: Final = 5_000


class News(msgspec.Struct, frozen=True):
    """One event that became visible.

    Args:
        ts: when it happened, epoch ms.
        visible_at: when it was stored, epoch ms by ClickHouse's clock, but never before it happened.
    """

    visitor: Visitor
    event: str
    event_id: str
    ts: int
    visible_at: int

    @property
    def identity(self) -> tuple[Visitor, str]:
        """The key of the event: pages choose ids of events, so that two visitors may use the same."""
        return self.visitor, self.event_id


class Anchor(msgspec.Struct, frozen=True):
    """One event that starts a wait; its times are as in `News`."""

    visitor: Visitor
    event: str
    ts: int
    visible_at: int


def read_clock(queries: Queries) -> int:
    """Return the time of ClickHouse's clock, which stamps the feed, in epoch ms.

    Cost: one query that reads no table.
    """
    ((now,),) = queries.query(statement("clock"))
    return int(now)


def read_cursor(queries: Queries, worker: str) -> int | None:
    """Return the instant up to which a worker had read the feed, epoch ms; None when it never ran.

    Cost: one query over the cursor's rows, of which merges keep one.
    """
    ((read_to,),) = queries.query(statement("cursor"), {"worker": worker, "shard": 0})
    return int(read_to) or None


def read_news(queries: Queries, since: int, until: int) -> Iterator[News]:
    """Yield the events that became visible from `since` up to `until`, both epoch ms, the oldest first.

    Cost: one query of `event_feed` for each page of `PAGE` rows, bounded by the key to the time asked about.
    """
    after = ("", "", "")
    while True:
        page = _read_page(queries, since, until, after)
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1]
        since, after = last.visible_at, (last.visitor.site, last.visitor.visitor_id, last.event_id)


def _read_page(queries: Queries, since: int, until: int, after: tuple[str, str, str]) -> list[News]:
    site, visitor, event = after
    parameters = {
        "since": since,
        "until": until,
        "skew": CLOCK_SKEW_MS,
        "after_site": site,
        "after_visitor": visitor,
        "after_event": event,
        "limit": PAGE,
    }
    return [
        News(Visitor(site, visitor_id), event, event_id, ts, visible_at)
        for site, event, visitor_id, event_id, ts, visible_at in queries.query(statement("news"), parameters)
    ]


def read_anchors(queries: Queries, names: Iterable[str], since: int, until: int) -> list[Anchor]:
    """Return the events of some names that became visible after `since` and up to `until`, in that order.

    Args:
        queries: the ClickHouse database with the feed.
        names: event names; `any` stands for every event that a visitor causes.
        since, until: epoch ms, already moved back by the wait.

    Cost: one query of `event_feed`, bounded by the key to the time asked about.
    """
    wanted = set(names)
    parameters = {
        "since": since,
        "until": until,
        "skew": CLOCK_SKEW_MS,
        "names": sorted(wanted - {ANY}),
        "every_event": ANY in wanted,
        "excluded": sorted(MESSAGE_EVENTS),
    }
    rows = queries.query(statement("due"), parameters)
    return [Anchor(Visitor(site, visitor_id), event, ts, seen) for site, visitor_id, event, ts, seen in rows]
