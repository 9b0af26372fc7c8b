"""What changed, and what is now due."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from trigger_worker.rules.language.syntax import ANY
from warehouse.connection import Warehouse
from warehouse.queries import read_sql
from warehouse.vocabulary import MESSAGE_EVENTS

PACKAGE: Final = "trigger_worker.store"
#: Rows of news in one query.
PAGE: Final = 20_000
#: Most milliseconds that a collector's clock may be ahead of ClickHouse's.
CLOCK_SKEW_MS: Final = 5_000


class Visitor(msgspec.Struct, frozen=True):
    """An id as events carry it."""

    site: str
    visitor_id: str


class News(msgspec.Struct, frozen=True):
    """One event that became visible.

    Args:
        ts: when it happened, epoch milliseconds.
        visible_at: when it was stored, epoch milliseconds by ClickHouse's clock, but never before it happened.
    """

    visitor: Visitor
    event: str
    event_id: str
    ts: int
    visible_at: int

    @property
    def identity(self) -> tuple[Visitor, str]:
        """What makes it this event: ids of events are pages' own words, so one visitor's say nothing of another's."""
        return self.visitor, self.event_id


class Anchor(msgspec.Struct, frozen=True):
    """One event that starts a wait; its times are those of `News`."""

    visitor: Visitor
    event: str
    ts: int
    visible_at: int


def read_clock(warehouse: Warehouse) -> int:
    """Return ClickHouse's time in epoch milliseconds: the clock that stamps the feed."""
    ((now,),) = warehouse.query(read_sql(PACKAGE, "clock"))
    return int(now)


def read_cursor(warehouse: Warehouse, worker: str) -> int | None:
    """Return up to where (epoch milliseconds) a worker had read the feed, or None when it never ran."""
    ((read_to,),) = warehouse.query(read_sql(PACKAGE, "cursor"), {"worker": worker, "shard": 0})
    return int(read_to) or None


def read_news(warehouse: Warehouse, since: int, until: int) -> Iterator[News]:
    """Return what became visible from `since` up to `until` (epoch milliseconds), oldest first, page by page."""
    after = ("", "", "")
    while True:
        page = _read_page(warehouse, since, until, after)
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1]
        since, after = last.visible_at, (last.visitor.site, last.visitor.visitor_id, last.event_id)


def _read_page(warehouse: Warehouse, since: int, until: int, after: tuple[str, str, str]) -> list[News]:
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
        for site, event, visitor_id, event_id, ts, visible_at in warehouse.query(read_sql(PACKAGE, "news"), parameters)
    ]


def read_anchors(warehouse: Warehouse, names: Iterable[str], since: int, until: int) -> list[Anchor]:
    """Return the events of these names that became visible in `(since, until]`, in that order.

    Args:
        names: event names; `any` stands for every event that a visitor causes.
        since, until: epoch milliseconds, already moved back by the wait.
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
    rows = warehouse.query(read_sql(PACKAGE, "due"), parameters)
    return [Anchor(Visitor(site, visitor_id), event, ts, seen) for site, visitor_id, event, ts, seen in rows]
