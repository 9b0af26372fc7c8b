"""The events that candidates are candidates for: few rows, read before any history is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from trigger_worker.live.candidates import Candidate
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.store.events import Span, read_events
from trigger_worker.store.people import Person
from trigger_worker.store.windows import Wanted
from warehouse.queries import Queries


def read_fresh(
    warehouse: Queries, people: Mapping[Person, Candidate], looked_at: Wanted, since: int, until: int
) -> dict[Person, list[Event]]:
    """Return each person's events from `since` on, and earlier ones that start a wait which is over now.

    Args:
        warehouse: where they are.
        people: of one site, few enough for one query, with what is asked of them.
        looked_at: the names and fields of all rules.
        since, until: epoch milliseconds, both included.

    Cost: rows as new as that; parts of the table with nothing as new are opened only for those whose wait is over.
    """
    found: dict[Person, list[Event]] = {person: [] for person in people}
    owner = {visitor_id: person for person in found for visitor_id in person.ids}
    (site,) = {person.site for person in found}
    spans = [Span(sorted(looked_at.lookback_ms), since, until), *_waits(people, until)]
    for visitor_id, event in read_events(
        warehouse, {"site": site, "ids": list(owner), "until": until}, spans, looked_at.fields
    ):
        found[owner[visitor_id]].append(event)
    return found


def _waits(people: Mapping[Person, Candidate], until: int) -> list[Span]:
    """Return, for each wait, when what starts it happened, of those who are asked about it alone."""
    since: dict[int, int] = {}
    names: dict[int, set[str]] = defaultdict(set)
    ids: dict[int, set[str]] = defaultdict(set)
    for person, candidate in people.items():
        for live in candidate.rules:
            wait_ms = live.needs.wait_ms
            if wait_ms:
                since[wait_ms] = min(candidate.since, since.get(wait_ms, candidate.since))
                names[wait_ms] |= live.needs.trigger_names
                ids[wait_ms].update(person.ids)
    return [
        Span(sorted(names[wait_ms]), since[wait_ms] - wait_ms, until - wait_ms, sorted(ids[wait_ms]))
        for wait_ms in sorted(since)
    ]
