"""Store the outcomes of messages, such as shown, opened and clicked, from the events that pages and providers sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from trigger_worker.store.feed import News
from trigger_worker.store.people import find_people
from trigger_worker.store.people_queries import PeopleGroup, item_groups
from trigger_worker.store.statements import statement
from warehouse.connection import Warehouse

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
    """Store the states that messages reached by some events; an event about another person's message changes nothing.

    Cost: nothing without such events; else one query for the people and one `INSERT ... SELECT`, for each group of
    some hundred events of a site, over their people's events and messages.
    """
    outcomes = [item for item in news if item.event in OUTCOME_EVENTS]
    if not outcomes:
        return
    people = find_people(warehouse, {item.visitor for item in outcomes})
    owned = ((people[item.visitor], item) for item in outcomes)
    for group, items in item_groups(owned, lambda item: (item.event_id,)):
        _record(warehouse, group, items)


def _record(warehouse: Warehouse, group: PeopleGroup, outcomes: Sequence[News]) -> None:
    parameters = {
        "site": group.site,
        "ids": sorted({item.visitor.visitor_id for item in outcomes}),
        "owners": group.ids,
        "persons": group.persons,
        "events": [item.event_id for item in outcomes],
    }
    warehouse.command(statement("message_outcomes"), parameters)
