"""Find the arm of each person in each rule's experiment: the arm of their first decision, or else a new choice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from trigger_worker.deciding.experiment.assignment import Posterior, choose_arm, draw_arm
from trigger_worker.deciding.experiment.statistics import posterior
from trigger_worker.rules.model import Rule
from trigger_worker.store.arm_data import ArmData, read_arm_data
from trigger_worker.store.decisions import Placed, Placement, read_placements
from trigger_worker.store.people import Person
from warehouse.queries import Queries

#: The place of everybody in a rule without an experiment.
NOWHERE: Final = Placement("")
#: How often an adaptive experiment learns, ms. A snapshot is of a full hour, so that a worker that starts anew computes
#: the same.
SNAPSHOT_MS: Final = 3_600_000


class Placements:
    """Find places.

    Args:
        queries: the ClickHouse database with decisions and events.
    """

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._posteriors = Posteriors(queries)

    def of(self, wanted: Iterable[tuple[Rule, Person]], now_ms: int) -> Mapping[Placed, Placement]:
        """Return the place of each person in each rule's experiment; rules without an experiment are left out.

        A person who logged in, or whose arm became less likely, stays in the arm of the first decision under the
        rule's version.

        Args:
            wanted: rules with persons, some hundred at most.
            now_ms: epoch ms.

        Cost: nothing where no rule has an experiment; else as `read_placements`, and once an hour for each adaptive
        rule as `read_arm_data`.
        """
        asked = {(rule.id, rule.version, person): rule for rule, person in wanted if rule.experiment is not None}
        people = {person for _, _, person in asked}
        before = read_placements(self._queries, people, {rule.id for rule in asked.values()}) if asked else {}
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


class Posteriors:
    """The conversion that adaptive experiments have learned of each arm, read once an hour for each rule.

    Args:
        queries: the ClickHouse database with decisions and events.
    """

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._snapshots: dict[str, _Snapshot] = {}

    def of(self, rule: Rule, now_ms: int) -> Posterior:
        """Return the parameters of the Beta distribution of each arm's conversion.

        Persons count once their time to reach the goal is over: a person who has just come has not failed yet.

        Args:
            rule: a rule with arms and a goal.
            now_ms: epoch ms.

        Cost: once an hour for each rule as `read_arm_data`.
        """
        taken_at = now_ms - now_ms % SNAPSHOT_MS
        known = self._snapshots.get(rule.id)
        if known is None or (known.version, known.taken_at) != (rule.version, taken_at):
            known = self._snapshots[rule.id] = _Snapshot(rule.version, taken_at, self._read(rule, taken_at))
        return known.posteriors

    def _read(self, rule: Rule, taken_at: int) -> Posterior:
        found = {arm.arm: arm for arm in read_arm_data(self._queries, rule, rule.version, taken_at, only_over=True)}
        names = [name for name, _ in rule.experiment.arms] if rule.experiment else []
        return {name: posterior(found.get(name, ArmData(name, 0, 0))) for name in names}


class _Snapshot(msgspec.Struct, frozen=True):
    version: str
    taken_at: int
    posteriors: Posterior
