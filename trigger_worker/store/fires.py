"""Read firings: those that keep a rule from firing again, those that a newer firing has overtaken, and their number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from trigger_worker.rules.model import Rule
from trigger_worker.store.people import Person
from trigger_worker.store.people_queries import for_people
from trigger_worker.store.statements import statement
from warehouse.queries import Queries


class Fire(msgspec.Struct, frozen=True):
    """A match that fired.

    Args:
        at: the instant of the match, epoch ms.
        event: fields of the event that completed the pattern.
    """

    fire_id: str
    site: str
    rule: str
    version: str
    visitor_id: str
    key: str
    at: int
    event: dict[str, Any]


class PastFires:
    """The instants at which rules fired before, by person, rule and key."""

    def __init__(self) -> None:
        self._instants: dict[tuple[Person, str], dict[str, list[int]]] = {}

    def add(self, person: Person, rule: str, key: str, at: int) -> None:
        """Add a firing at `at` (epoch ms)."""
        self._instants.setdefault((person, rule), {}).setdefault(key, []).append(at)

    def of(self, person: Person, rule: str) -> Mapping[str, Sequence[int]]:
        """Return, by key, the instants (epoch ms) at which a rule fired for a person."""
        return self._instants.get((person, rule), {})


def read_past_fires(queries: Queries, people: Iterable[Person], rules: Iterable[Rule], since: int) -> PastFires:
    """Return the firings that still keep these rules from firing for these people.

    Args:
        queries: the ClickHouse database with the firings.
        people: the persons.
        rules: the rules; the longest `every` of them is how long before `since` a firing matters.
        since: the earliest instant asked about, epoch ms.

    Cost: one query for each group of some hundred people, which reads their firings of that time, found by the key.
    """
    chosen = list(rules)
    longest = max((rule.every_ms for rule in chosen), default=0)
    parameters = {"rules": [rule.id for rule in chosen], "since": max(0, since - longest)}
    past = PastFires()
    for person, (rule_id, key, at) in for_people(queries, people, statement("past_fires"), parameters):
        past.add(person, rule_id, key, at)
    return past


def read_restarted(queries: Queries, people: Iterable[Person], fire_ids: Iterable[str]) -> dict[str, str]:
    """Return, by firing, the id of the newest firing of the same rule, person and key, where that is another.

    Cost: one query for each group of some hundred people, which reads their firings of the rules in question.
    """
    rows = for_people(queries, people, statement("restarted"), {"fires": sorted(fire_ids)})
    return {fire_id: newest for _, (fire_id, newest) in rows}


def count_fires(queries: Queries, since: int) -> dict[str, int]:
    """Return, by rule, how often it fired since an instant (epoch ms).

    Cost: one query over all firings since then.
    """
    return dict(queries.query(statement("fires_since"), {"since": since}))
