"""What changed, and what is now due."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from warehouse.connection import Warehouse
from warehouse.sql import read_sql
from warehouse.vocabulary import MESSAGE_EVENTS

PACKAGE: Final = "trigger_worker.reading"
#: Most rows of news in one tick; the rest is the next tick's.
MAX_NEWS: Final = 20_000


class Visitor(msgspec.Struct, frozen=True):
    """An id as events carry it."""

    site: str
    visitor_id: str


class News(msgspec.Struct, frozen=True):
    """One event that became visible.

    Args:
        ts: when it happened, epoch milliseconds.
        ingested_at: when it was stored, epoch milliseconds by ClickHouse's clock.
    """

    visitor: Visitor
    event: str
    event_id: str
    ts: int
    ingested_at: int


class Anchor(msgspec.Struct, frozen=True):
    """One event whose wait has run out."""

    visitor: Visitor
    event: str
    ts: int


def read_clock(warehouse: Warehouse) -> int:
    """Return ClickHouse's time in epoch milliseconds: the clock that stamps the feed."""
    ((now,),) = warehouse.query(read_sql(PACKAGE, "clock"))
    return int(now)


def read_cursor(warehouse: Warehouse, worker: str) -> int | None:
    """Return up to where (epoch milliseconds) a worker had read the feed, or None when it never ran."""
    ((read_to,),) = warehouse.query(read_sql(PACKAGE, "cursor"), {"worker": worker, "shard": 0})
    return int(read_to) or None


def read_news(warehouse: Warehouse, since: int) -> list[News]:
    """Return what was stored after `since` (epoch milliseconds), oldest first, at most `MAX_NEWS`."""
    rows = warehouse.query(read_sql(PACKAGE, "news"), {"since": since, "limit": MAX_NEWS})
    return [
        News(Visitor(site, visitor_id), event, event_id, ts, ingested)
        for site, event, visitor_id, event_id, ts, ingested in rows
    ]


def read_anchors(warehouse: Warehouse, names: Iterable[str], since: int, until: int) -> list[Anchor]:
    """Return the events of these names that were stored in `(since, until]`.

    Args:
        names: event names; `any` stands for every event that a visitor causes.
        since, until: epoch milliseconds, already moved back by the wait.
    """
    wanted = set(names)
    parameters = {
        "since": since,
        "until": until,
        "names": sorted(wanted - {"any"}),
        "every_event": "any" in wanted,
        "excluded": sorted(MESSAGE_EVENTS),
    }
    rows = warehouse.query(read_sql(PACKAGE, "due"), parameters)
    return [Anchor(Visitor(site, visitor_id), event, ts) for site, visitor_id, event, ts in rows]
