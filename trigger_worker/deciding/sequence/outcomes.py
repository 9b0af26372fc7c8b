"""What visitors did with messages, from the events that their pages sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from trigger_worker.store.feed import PACKAGE, News
from trigger_worker.store.groups import in_query_groups
from trigger_worker.store.people import Person, find_people
from warehouse.connection import Warehouse
from warehouse.queries import read_sql

#: Events that move a message to another state.
OUTCOME_EVENTS: Final = frozenset(
    {
        "message_delivered",
        "message_shown",
        "message_clicked",
        "message_dismissed",
        "message_failed",
        "email_opened",
        "email_clicked",
    }
)


def record_outcomes(warehouse: Warehouse, news: Iterable[News]) -> None:
    """Store the states that messages reached; an event about somebody else's message is passed over."""
    by_site: dict[str, list[News]] = defaultdict(list)
    for item in news:
        if item.event in OUTCOME_EVENTS:
            by_site[item.visitor.site].append(item)
    for site, outcomes in by_site.items():
        people = find_people(warehouse, {item.visitor for item in outcomes})
        theirs = [(item, people[item.visitor]) for item in outcomes]
        for group in in_query_groups(theirs, lambda pair: (*pair[1].ids, pair[0].event_id)):
            _record(warehouse, site, group)


def _record(warehouse: Warehouse, site: str, outcomes: Sequence[tuple[News, Person]]) -> None:
    person_of = {visitor_id: person.visitor_id for _, person in outcomes for visitor_id in person.ids}
    parameters = {
        "site": site,
        "ids": sorted({item.visitor.visitor_id for item, _ in outcomes}),
        "owners": list(person_of),
        "persons": list(person_of.values()),
        "events": [item.event_id for item, _ in outcomes],
    }
    warehouse.command(read_sql(PACKAGE, "message_outcomes"), parameters)
