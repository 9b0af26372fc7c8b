"""Who did something that may make a rule match within a range of the stored history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from trigger_worker.rules.evaluate.needs import Needs
from trigger_worker.rules.language.syntax import ANY
from trigger_worker.store.feed import PACKAGE, Visitor
from warehouse.queries import Queries, read_sql
from warehouse.vocabulary import MESSAGE_EVENTS

#: Visitors in one query: each goes over the visitors that are left.
PAGE: Final = 20_000


class Range(msgspec.Struct, frozen=True):
    """A part of the history, both ends included, in epoch milliseconds."""

    since: int
    until: int


class Activity(msgspec.Struct, frozen=True):
    """A visitor and how many of their rows a replay reads at most."""

    visitor: Visitor
    rows: int


def count_active(queries: Queries, needs: Iterable[Needs], span: Range) -> dict[str, int]:
    """Return, by site, how many ids did something that may complete a rule within a range."""
    completing, parameters = _completing(needs, span)
    sql = read_sql(PACKAGE, "active_count").replace("/* completing */", completing)
    return dict(queries.query(sql, parameters))


def read_active(queries: Queries, site: str, needs: Iterable[Needs], span: Range) -> Iterator[list[Activity]]:
    """Yield the ids of a site that did something that may complete a rule within a range, page by page.

    Imported history counts as much as live events.
    """
    wanted = list(needs)
    completing, parameters = _completing(wanted, span)
    names = frozenset().union(*(each.names for each in wanted))
    parameters |= {
        "site": site,
        "first": max(0, span.since - max(max(each.lookback_ms.values(), default=0) for each in wanted)),
        "until": span.until,
        "every_event": ANY in names,
        "names": sorted(names),
        "limit": PAGE,
    }
    sql = read_sql(PACKAGE, "active_visitors").replace("/* completing */", completing)
    after = ""
    while True:
        rows = queries.query(sql, {**parameters, "after": after})
        yield [Activity(Visitor(site, visitor_id), count) for visitor_id, count in rows]
        if len(rows) < PAGE:
            return
        after = rows[-1][0]


def _completing(needs: Iterable[Needs], span: Range) -> tuple[str, dict[str, object]]:
    """Return the condition on events that may complete a rule, and its parameters: one part for each wait."""
    names_of: dict[int, set[str]] = defaultdict(set)
    for each in needs:
        names_of[each.wait_ms] |= each.trigger_names
    parts = []
    parameters: dict[str, object] = {"excluded": sorted(MESSAGE_EVENTS)}
    for index, (wait_ms, names) in enumerate(sorted(names_of.items())):
        matching = f"event IN {{names_{index}:Array(String)}}"
        if ANY in names:
            matching = f"({matching} OR event NOT IN {{excluded:Array(String)}})"
        parts.append(
            f"({matching} AND ts >= fromUnixTimestamp64Milli({{from_{index}:Int64}}, 'UTC')"
            f" AND ts <= fromUnixTimestamp64Milli({{to_{index}:Int64}}, 'UTC'))"
        )
        parameters |= {
            f"names_{index}": sorted(names),
            f"from_{index}": max(0, span.since - wait_ms),
            f"to_{index}": max(0, span.until - wait_ms),
        }
    return " OR ".join(parts), parameters
