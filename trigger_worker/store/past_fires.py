"""Firings made already, which keep a rule from firing again too soon."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from trigger_worker.rules.model import Rule
from trigger_worker.store.feed import PACKAGE
from trigger_worker.store.people import Person
from warehouse.queries import Queries, read_sql


class PastFires:
    """When which rule fired for whom."""

    def __init__(self) -> None:
        self._instants: dict[tuple[Person, str], dict[str, list[int]]] = {}

    def add(self, person: Person, rule: str, key: str, at: int) -> None:
        """Note a firing at `at` (epoch milliseconds)."""
        self._instants.setdefault((person, rule), {}).setdefault(key, []).append(at)

    def of(self, person: Person, rule: str) -> Mapping[str, Sequence[int]]:
        """Return, by key, the instants at which a rule fired for a person."""
        return self._instants.get((person, rule), {})


def read_past_fires(warehouse: Queries, people: Iterable[Person], rules: Iterable[Rule], since: int) -> PastFires:
    """Return the firings that still keep these rules from firing for these people.

    Args:
        since: the earliest instant asked about, epoch milliseconds; `every` of each rule is added to it.
    """
    chosen = list(rules)
    past = PastFires()
    by_site: dict[str, dict[str, Person]] = defaultdict(dict)
    for person in people:
        by_site[person.site] |= dict.fromkeys(person.ids, person)
    longest = max((rule.every_ms for rule in chosen), default=0)
    for site, owner in by_site.items():
        parameters = {
            "site": site,
            "ids": list(owner),
            "rules": [rule.id for rule in chosen],
            "since": max(0, since - longest),
        }
        for visitor_id, rule, key, at in warehouse.query(read_sql(PACKAGE, "past_fires"), parameters):
            past.add(owner[visitor_id], rule, key, at)
    return past
