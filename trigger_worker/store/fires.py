"""Read firings: of some people, who remember which rule fired when, and their number by rule."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

import msgspec

from trigger_worker.rules.evaluate.tellings import order_told
from trigger_worker.store.people import Person
from trigger_worker.store.people_queries import for_people
from trigger_worker.store.statements import statement
from warehouse.queries import Queries


class Fire(msgspec.Struct, frozen=True):
    """A match that fired.

    Args:
        at: the instant of the match, epoch ms.
        event: fields of the event that completed the pattern.
        late_ms: how long after its instant it could be known at the earliest, ms; 0 unless that event came late.
    """

    fire_id: str
    site: str
    rule: str
    version: str
    visitor_id: str
    key: str
    at: int
    event: dict[str, Any]
    late_ms: int = 0

    def as_past(self) -> PastFire:
        """Return the firing as it is remembered."""
        event = self.event
        order = order_told(str(event.get("event")), str(event.get("event_id")), event)
        return PastFire(self.rule, self.key, self.at, self.fire_id, self.late_ms, self.visitor_id, order or "")


class PastFire(msgspec.Struct, frozen=True, gc=False):
    """A firing of before.

    Args:
        at: the instant of the match, epoch ms.
        late_ms: as in `Fire`.
        visitor_id: the id that the person had then; '' where nobody asks.
        order: the order whose telling completed the pattern, as `order_of` names it; '' for none.
    """

    rule: str
    key: str
    at: int
    fire_id: str
    late_ms: int = 0
    visitor_id: str = ""
    order: str = ""


class PastFires:
    """The firings of one person, by rule and key."""

    def __init__(self, fires: Iterable[PastFire] = ()) -> None:
        self._instants: dict[str, dict[str, list[int]]] = {}
        self._known: dict[str, dict[str, list[int]]] = {}
        self._by_id: dict[str, PastFire] = {}
        self._newest: dict[tuple[str, str], PastFire] = {}
        self._first: PastFire | None = None
        self._orders: dict[str, set[tuple[str, str]]] = {}
        for fire in fires:
            self.add(fire)

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[PastFire]:
        return iter(self._by_id.values())

    def add(self, fire: PastFire) -> None:
        """Add a firing; one that is known already changes nothing."""
        if fire.fire_id not in self._by_id:
            self._by_id[fire.fire_id] = fire
            insort(self._instants.setdefault(fire.rule, {}).setdefault(fire.key, []), fire.at)
            insort(self._known.setdefault(fire.rule, {}).setdefault(fire.key, []), fire.at + fire.late_ms)
            if fire.order:
                self._orders.setdefault(fire.rule, set()).add((fire.key, fire.order))
            alike = fire.rule, fire.key
            self._newest[alike] = max(fire, self._newest.get(alike, fire), key=_place)
            self._first = min(fire, self._first or fire, key=_known_place)

    @property
    def first_visitor_id(self) -> str:
        """The id that the person had when anything first fired for them; '' before that."""
        return self._first.visitor_id if self._first else ""

    def of(self, rule: str) -> Mapping[str, Sequence[int]]:
        """Return, by key, the instants (epoch ms) at which a rule fired, ascending."""
        return self._instants.get(rule, {})

    def known_of(self, rule: str) -> Mapping[str, Sequence[int]]:
        """Return, by key, when the firings of a rule could be known (epoch ms), ascending."""
        return self._known.get(rule, {})

    def orders_of(self, rule: str) -> Set[tuple[str, str]]:
        """Return the keys and orders for which a rule fired."""
        return self._orders.get(rule, frozenset())

    def newer_than(self, fire_id: str) -> str | None:
        """Return the id of the newest firing of the same rule and key, if it is later than a firing; else None."""
        asked = self._by_id.get(fire_id)
        if asked is None:
            return None
        newest = self._newest[asked.rule, asked.key]
        return newest.fire_id if newest.at > asked.at else None


def _place(fire: PastFire) -> tuple[int, str]:
    return fire.at, fire.fire_id


def _known_place(fire: PastFire) -> tuple[int, str]:
    return fire.at + fire.late_ms, fire.fire_id


def read_past_fires(
    queries: Queries, people: Iterable[Person], since: int, rules: Iterable[str] = ()
) -> dict[Person, PastFires]:
    """Return, by person, the firings since an instant.

    Args:
        queries: the ClickHouse database with the firings.
        people: the persons.
        since: the earliest instant of a firing, epoch ms.
        rules: ids of the rules; none for all.

    Cost: one query for each group of some hundred people, which reads their firings of that time, found by the key.
    """
    found = {person: PastFires() for person in people}
    parameters = {"rules": list(rules), "since": max(0, since)}
    for person, row in for_people(queries, found, statement("past_fires"), parameters):
        found[person].add(PastFire(*row))
    return found


def count_fires(queries: Queries, since: int) -> dict[str, int]:
    """Return, by rule, how often it fired since an instant (epoch ms).

    Cost: one query over all firings since then.
    """
    return dict(queries.query(statement("fires_since"), {"since": since}))
