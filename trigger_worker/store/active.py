"""Find the visitors whose events may make a rule match within a range of the stored history, for replays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from trigger_worker.rules.evaluate.needs import Needs
from trigger_worker.rules.language.syntax import ANY
from trigger_worker.store.events import Span, spans_condition
from trigger_worker.store.people import Visitor
from trigger_worker.store.statements import statement
from warehouse.queries import Queries

#: Visitors in one query: each query goes over the visitors that are left.
PAGE: Final = 20_000


class Range(msgspec.Struct, frozen=True):
    """A part of the history, both ends included, epoch ms."""

    since: int
    until: int


class Activity(msgspec.Struct, frozen=True):
    """A visitor, with the most rows that a replay of the visitor reads."""

    visitor: Visitor
    rows: int


def count_active(queries: Queries, needs: Iterable[Needs], span: Range) -> dict[str, int]:
    """Return, by site, the number of visitors with an event that may complete a rule within a range.

    Cost: one query over all events of the range.
    """
    completing, parameters = spans_condition(_completing(needs, span))
    return dict(queries.query(statement("active_count", completing=completing), parameters))


def read_active(queries: Queries, site: str, needs: Iterable[Needs], span: Range) -> Iterator[list[Activity]]:
    """Yield the visitors of a site with an event that may complete a rule within a range, page by page.

    Imported history counts as much as live events.

    Cost: one query for each page of `PAGE` visitors, over the events of the visitors that are left, in the range and
    as long before it as the rules look back.
    """
    wanted = list(needs)
    completing, parameters = spans_condition(_completing(wanted, span))
    names = frozenset().union(*(each.names for each in wanted))
    parameters |= {
        "site": site,
        "first": max(0, span.since - max(max(each.lookback_ms.values(), default=0) for each in wanted)),
        "until": span.until,
        "every_event": ANY in names,
        "names": sorted(names),
        "limit": PAGE,
    }
    sql = statement("active_visitors", completing=completing)
    after = ""
    while True:
        rows = queries.query(sql, {**parameters, "after": after})
        yield [Activity(Visitor(site, visitor_id), count) for visitor_id, count in rows]
        if len(rows) < PAGE:
            return
        after = rows[-1][0]


def _completing(needs: Iterable[Needs], span: Range) -> list[Span]:
    """Return the events that may complete a rule within the range: one span for each wait."""
    names_of: dict[int, set[str]] = defaultdict(set)
    for each in needs:
        names_of[each.wait_ms] |= each.trigger_names
    return [
        Span(sorted(names), span.since - wait_ms, span.until - wait_ms) for wait_ms, names in sorted(names_of.items())
    ]
