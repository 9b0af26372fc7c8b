"""Read the messages that people were sent and the states of their messages, and store outcomes as they are reported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from trigger_worker.rules.model import MessageClass
from trigger_worker.store.feed import News
from trigger_worker.store.people import Person, find_people
from trigger_worker.store.people_queries import PeopleGroup, for_people, item_groups
from trigger_worker.store.statements import statement
from warehouse.channel_traits import CHANNEL_TRAITS
from warehouse.connection import Warehouse
from warehouse.queries import Queries
from warehouse.vocabulary import OUTCOME_STATES

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

#: Most messages of the last hour that a worker which starts counts: more than any ceiling is.
MAX_LATELY: Final = 1_000_000


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


class SentLately(msgspec.Struct, frozen=True):
    """A message of a site that was sent at `at`, epoch ms."""

    site: str
    message_class: MessageClass
    message_id: str
    at: int


class PersonMessage(msgspec.Struct):
    """A message to a person, and the states that it reached.

    Args:
        message_id, fire_id: the message, and the firing that asked for it.
        channel, rule, tags, message_class: as in `SentMessage`.
        states: by state, when it was reached first, epoch ms.
    """

    message_id: str
    fire_id: str
    channel: str
    rule: str
    tags: frozenset[str]
    message_class: MessageClass
    states: dict[str, int]

    def reach(self, state: str, at: int) -> None:
        """Note that the message reached a state at `at` (epoch ms)."""
        self.states[state] = min(at, self.states.get(state, at))

    def as_sent(self, since: int) -> SentMessage | None:
        """Return the message as one that was sent after `since` (epoch ms), None if it was not."""
        sent_at = self.states.get("sent")
        if sent_at is None or sent_at <= since:
            return None
        return SentMessage(
            channel=self.channel,
            rule=self.rule,
            at_ms=sent_at,
            tags=self.tags,
            message_class=self.message_class,
            shown="shown" in self.states,
            clicked="clicked" in self.states,
        )

    def facts(self) -> dict[str, bool]:
        """Return the states that the message reached, such as `opened(email)`, as rules name them."""
        return {f"{proven}({self.channel})": True for state in self.states for proven in _proven(self.channel, state)}


def read_messages(queries: Queries, people: Iterable[Person], since: int) -> dict[Person, list[PersonMessage]]:
    """Return, by person, the messages that were due after `since` (epoch ms).

    Cost: one query for each group of some hundred people, over their own messages, found by the key.
    """
    found: dict[Person, list[PersonMessage]] = {person: [] for person in people}
    parameters = {"since": max(0, since)}
    for person, row in for_people(queries, found, statement("person_messages"), parameters):
        message_id, fire_id, channel, rule, tags, message_class, states = row
        message = PersonMessage(message_id, fire_id, channel, rule, frozenset(tags), message_class, {})
        for state, at in states:
            message.reach(state, at)
        found[person].append(message)
    return found


def read_sent_lately(queries: Queries, channels: Iterable[str], since: int) -> list[SentLately]:
    """Return the messages of some channels that were sent since an instant (epoch ms), the earliest first.

    Cost: one query over the messages of two months, for a worker that starts.
    """
    parameters = {"channels": sorted(channels), "since": since, "limit": MAX_LATELY}
    return [SentLately(*row) for row in queries.query(statement("sent_lately"), parameters)]


def record_outcomes(warehouse: Warehouse, news: Iterable[News]) -> None:
    """Store the states that messages reached by some events; an event about another person's message changes nothing.

    Cost: nothing without such events; else one query for the people and one `INSERT ... SELECT`, for each group of
    some hundred events of a site, over their people's events and messages.
    """
    outcomes = [item for item in news if item.event in OUTCOME_STATES]
    if not outcomes:
        return
    people = find_people(warehouse, {item.visitor for item in outcomes})
    owned = ((people[item.visitor], item) for item in outcomes)
    for group, items in item_groups(owned, lambda item: (item.event_id,)):
        _record(warehouse, group, items)


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
        "names": list(OUTCOME_STATES),
        "states": list(OUTCOME_STATES.values()),
    }
    warehouse.command(statement("message_outcomes"), parameters)
