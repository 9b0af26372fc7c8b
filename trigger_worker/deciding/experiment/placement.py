"""Where each visitor is in an experiment: where they were before, or else a choice that is always the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from scipy.special import betaincinv

from trigger_worker.deciding.experiment.arm_data import ArmData
from trigger_worker.deciding.experiment.arm_data_query import BEFORE_HOLDOUT, PACKAGE, read_arm_data
from trigger_worker.deciding.experiment.statistics import posterior
from trigger_worker.deciding.gate.policy import place
from trigger_worker.rules.model import Rule
from trigger_worker.store.groups import in_query_groups
from trigger_worker.store.people import Person
from warehouse.queries import Queries, read_sql

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


#: How often it learns. A snapshot is of a full hour, so that a worker that starts anew works out the same.
SNAPSHOT_MS: Final = 3_600_000

Posterior = Mapping[str, tuple[float, float]]


class _Snapshot(msgspec.Struct, frozen=True):
    version: str
    taken_at: int
    posteriors: Posterior


class Posteriors:
    """Reads what was learned, once an hour for each rule.

    Args:
        queries: where decisions and events are.
    """

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._snapshots: dict[str, _Snapshot] = {}

    def of(self, rule: Rule, now_ms: int) -> Posterior:
        """Return the parameters of the Beta distribution of each arm's conversion.

        Visitors count once their time to reach the goal is over: who has just come has not failed yet.

        Args:
            rule: one with arms and a goal.
            now_ms: epoch milliseconds.
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


def choose_arm(arms: Sequence[tuple[str, float]], site: str, rule: str, visitor_id: str) -> str:
    """Returns the arm that a visitor always gets, arms being met in proportion to their weights.

    Args:
        arms: names and relative weights; none for a rule without an experiment, whose arm is "".
        site, rule, visitor_id: each rule of each site places visitors anew.
    """
    total = sum(weight for _, weight in arms)
    left = place("arm", site, rule, visitor_id) * total
    for name, weight in arms:
        left -= weight
        if left < 0:
            return name
    return arms[-1][0] if arms else ""


def draw_arm(posteriors: Mapping[str, tuple[float, float]], site: str, rule: str, visitor_id: str) -> str:
    """Returns the arm whose conversion is drawn highest for a visitor: Thompson sampling.

    An arm is drawn as often as it is probable to be the best. The same visitor draws the same arm from the same
    posteriors (Thompson, "On the likelihood that one unknown probability exceeds another", Biometrika 1933).

    Args:
        posteriors: by arm, one at least, the parameters of the Beta distribution of its conversion.
        site, rule, visitor_id: each rule of each site draws anew.
    """
    draws = {
        arm: float(betaincinv(*parameters, place("thompson", site, rule, arm, visitor_id)))
        for arm, parameters in posteriors.items()
    }
    return max(draws, key=draws.__getitem__)
