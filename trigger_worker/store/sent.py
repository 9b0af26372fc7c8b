"""Read the messages that people were sent and the states of their messages, and store outcomes as they are reported."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from trigger_worker.rules.model import MessageClass
from trigger_worker.store.feed import News
from trigger_worker.store.people import Person, find_people
from trigger_worker.store.people_queries import PeopleGroup, for_people, item_groups
from trigger_worker.store.statements import statement
from warehouse.channel_traits import CHANNEL_TRAITS
from warehouse.connection import Row, Warehouse
from warehouse.queries import Queries
from warehouse.vocabulary import OUTCOME_EVENTS

#: Channels whose messages a person is taken to have met once they are sent.
_MET_WHEN_SENT: Final = frozenset(name for name, traits in CHANNEL_TRAITS.items() if traits.met_when_sent)
#: Channels whose messages are delivered once the peer has taken them, as no report follows.
_DELIVERED_WHEN_SENT: Final = frozenset(name for name, traits in CHANNEL_TRAITS.items() if not traits.reports_delivery)
#: The states that a state proves, itself included: who clicks an email has opened it, though its picture was blocked.
_PROVES: Final[Mapping[str, tuple[str, ...]]] = {
    "delivered": ("delivered",),
    "shown": ("shown", "delivered"),
    "dismissed": ("dismissed", "shown", "delivered"),
    "opened": ("opened", "delivered"),
    "clicked": ("clicked", "opened", "shown", "delivered"),
}


class SentMessage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message that a person was sent before.

    Args:
        channel: the channel that it went out on.
        rule: the rule that sent it.
        at_ms: when it was sent, epoch ms.
        tags: the kinds of offer that it carried.
        message_class: marketing or transactional.
        shown: whether the person is known to have seen it, as pages report of banners.
        clicked: whether the person clicked it.
    """

    channel: str
    rule: str
    at_ms: int
    tags: frozenset[str] = frozenset()
    message_class: MessageClass = "marketing"
    shown: bool = False
    clicked: bool = False

    @property
    def met(self) -> bool:
        """True if the person may be taken to have met the offer: a banner that was shown, a letter that was sent."""
        return self.shown or self.channel in _MET_WHEN_SENT


def read_sent(
    queries: Queries, people: Iterable[Person], since: int, but_not: Container[str] = ()
) -> dict[Person, list[SentMessage]]:
    """Return, by person, the messages sent after `since` (epoch ms), the oldest first.

    Args:
        queries: the ClickHouse database with the messages.
        people: the persons.
        since: epoch ms.
        but_not: ids of messages to leave out.

    Cost: one query for each group of some hundred people, over their own messages, found by the key.
    """
    sent: dict[Person, list[SentMessage]] = {person: [] for person in people}
    for person, row in for_people(queries, sent, statement("sent_messages"), {"since": max(0, since)}):
        if row[0] not in but_not:
            sent[person].append(_as_sent(row))
    return sent


def read_fire_facts(queries: Queries, people: Iterable[Person], fire_ids: Iterable[str]) -> dict[str, dict[str, bool]]:
    """Return, by firing, the states that its messages reached, such as `opened(email)`, as rules name them.

    Cost: one query for each group of some hundred people, over their own messages, found by the key.
    """
    facts: dict[str, dict[str, bool]] = defaultdict(dict)
    rows = for_people(queries, people, statement("fire_states"), {"fires": sorted(set(fire_ids))})
    for _, (fire_id, channel, state) in rows:
        facts[fire_id] |= {f"{proven}({channel})": True for proven in _proven(channel, state)}
    return facts


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


def _as_sent(row: Row) -> SentMessage:
    _, channel, rule, at, tags, message_class, shown, clicked = row
    return SentMessage(
        channel=channel,
        rule=rule,
        at_ms=at,
        tags=frozenset(tags),
        message_class=message_class,
        shown=bool(shown),
        clicked=bool(clicked),
    )


def _proven(channel: str, state: str) -> tuple[str, ...]:
    if state == "sent" and channel in _DELIVERED_WHEN_SENT:
        return (state, "delivered")
    return _PROVES.get(state, (state,))


def _record(warehouse: Warehouse, group: PeopleGroup, outcomes: Sequence[News]) -> None:
    parameters = {
        "site": group.site,
        "ids": sorted({item.visitor.visitor_id for item in outcomes}),
        "owners": group.ids,
        "persons": group.persons,
        "events": [item.event_id for item in outcomes],
    }
    warehouse.command(statement("message_outcomes"), parameters)
