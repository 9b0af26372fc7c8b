"""The events that may complete a rule just now: few rows, read before any history is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from trigger_worker.evaluate.event import Event
from trigger_worker.evaluate.needs import Needs
from trigger_worker.reading.events import Span, read_events
from trigger_worker.reading.people import Person
from warehouse.queries import Queries


def read_completions(
    warehouse: Queries, people: Iterable[Person], needs: Iterable[Needs], since: int, until: int
) -> dict[Person, list[Event]]:
    """Return each person's events that may be the last step of a rule which matches in `[since, until]`.

    Args:
        warehouse: where they are.
        people: of one site, few enough for one query.
        needs: of the rules, one at least.
        since, until: epoch milliseconds of the match; the event is earlier by the rule's wait.

    Cost: rows as new as that; parts of the table with nothing as new are not opened.
    """
    found: dict[Person, list[Event]] = {person: [] for person in people}
    owner = {visitor_id: person for person in found for visitor_id in person.ids}
    names: dict[int, set[str]] = defaultdict(set)
    fields: frozenset[str] = frozenset()
    for need in needs:
        names[need.wait_ms] |= need.trigger_names
        fields |= need.trigger_fields
    spans = [Span(sorted(names[wait_ms]), since - wait_ms, until - wait_ms) for wait_ms in sorted(names)]
    (site,) = {person.site for person in found}
    scope = {"site": site, "ids": list(owner), "until": until}
    for visitor_id, event in read_events(warehouse, scope, spans, fields):
        found[owner[visitor_id]].append(event)
    return found
