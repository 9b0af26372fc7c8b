"""Where each visitor is in an experiment: where they were before, or else a choice that is always the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from trigger_worker.deciding.experiment.arm_data_query import BEFORE_HOLDOUT, PACKAGE
from trigger_worker.deciding.experiment.assignment import choose_arm, draw_arm
from trigger_worker.deciding.experiment.posteriors import Posteriors
from trigger_worker.rules.model import Rule
from trigger_worker.store.groups import in_query_groups
from trigger_worker.store.people import Person
from warehouse.queries import Queries
from warehouse.sql import read_sql

#: A rule's id and version, and who it is about.
Placed = tuple[str, str, Person]


class Placement(msgspec.Struct, frozen=True):
    """A visitor's place in the experiment of a rule.

    Args:
        arm: empty for a rule without arms.
        held_out: whether the rule was found to hold the visitor out; None for a visitor who was not asked about before.
    """

    arm: str
    held_out: bool | None = None


#: The place of everybody in a rule without an experiment.
NOWHERE: Final = Placement("")


class Placements:
    """Finds places.

    Args:
        queries: where decisions and events are.
    """

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._posteriors = Posteriors(queries)

    def of(self, wanted: Iterable[tuple[Rule, Person]], now_ms: int) -> Mapping[Placed, Placement]:
        """Return the place of each person in each rule's experiment; rules without one are left out.

        A person who logged in, or whose arm became less likely, stays where the first decision under the rule's
        version found them.

        Args:
            wanted: some hundred at most.
            now_ms: epoch milliseconds.
        """
        asked = {(rule.id, rule.version, person): rule for rule, person in wanted if rule.experiment is not None}
        before = self._before(asked) if asked else {}
        return {key: self._place(rule, key[2], before.get(key, NOWHERE), now_ms) for key, rule in asked.items()}

    def _place(self, rule: Rule, person: Person, before: Placement, now_ms: int) -> Placement:
        arms = rule.experiment.arms if rule.experiment else ()
        if not arms or before.arm in dict(arms):
            return before
        return msgspec.structs.replace(before, arm=self._choose(rule, person, now_ms))

    def _choose(self, rule: Rule, person: Person, now_ms: int) -> str:
        if rule.experiment is not None and rule.experiment.is_adaptive:
            return draw_arm(self._posteriors.of(rule, now_ms), person.site, rule.id, person.visitor_id)
        arms = rule.experiment.arms if rule.experiment else ()
        return choose_arm(arms, person.site, rule.id, person.visitor_id)

    def _before(self, asked: Iterable[Placed]) -> dict[Placed, Placement]:
        by_site: dict[str, set[Person]] = defaultdict(set)
        rules: set[str] = set()
        for rule_id, _, person in asked:
            by_site[person.site].add(person)
            rules.add(rule_id)
        found: dict[Placed, Placement] = {}
        for site, people in by_site.items():
            for group in in_query_groups(people, lambda person: person.ids):
                owner = {visitor_id: person for person in group for visitor_id in person.ids}
                parameters = {
                    "site": site,
                    "ids": list(owner),
                    "rules": sorted(rules),
                    "before_holdout": [reason.value for reason in BEFORE_HOLDOUT],
                }
                for rule_id, version, visitor_id, arm, held_out, _ in self._queries.query(_SQL, parameters):
                    found.setdefault((rule_id, version, owner[visitor_id]), Placement(arm, bool(held_out)))
        return found


_SQL: Final = read_sql(PACKAGE, "placements")
