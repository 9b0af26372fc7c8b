"""Find the arm of each person in each rule's experiment: the arm of their first decision, or else a new choice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from trigger_worker.deciding.experiment.assignment import Posterior, choose_arm, draw_arm
from trigger_worker.deciding.experiment.statistics import posterior
from trigger_worker.rules.model import Rule
from trigger_worker.store.arm_data import ArmData, read_arm_data
from trigger_worker.store.decisions import Placement
from trigger_worker.store.people import Person
from warehouse.queries import Queries

#: The place of everybody in a rule without an experiment.
NOWHERE: Final = Placement("")
#: How often an adaptive experiment learns, ms. A snapshot is of a full hour, so that a worker that starts anew computes
#: the same.
SNAPSHOT_MS: Final = 3_600_000


def place(
    rule: Rule, person: Person, before: Placement | None, posteriors: Posteriors, now_ms: int, placed_as: str = ""
) -> Placement:
    """Return the place of a person in a rule's experiment.

    A person who logged in, or whose arm became less likely, stays in the arm of the first decision under the rule's
    version.

    Args:
        rule: the rule.
        person: the person.
        before: the place that the first decision found; None for a person who was not decided on before.
        posteriors: what adaptive experiments have learned, as far as `Posteriors.missing` names no rule.
        now_ms: epoch ms.
        placed_as: the id by which the person is placed anew; '' for the person's own.
    """
    known, id_ = before or NOWHERE, placed_as or person.visitor_id
    arms = rule.experiment.arms if rule.experiment else ()
    if not arms or known.arm in dict(arms):
        return known
    if rule.experiment is not None and rule.experiment.is_adaptive:
        arm = draw_arm(posteriors.of(rule, now_ms), person.site, rule.id, id_)
    else:
        arm = choose_arm(arms, person.site, rule.id, id_)
    return msgspec.structs.replace(known, arm=arm)


class Posteriors:
    """The conversion that adaptive experiments have learned of each arm, read once an hour for each rule.

    Args:
        queries: the ClickHouse database with decisions and events.
    """

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._snapshots: dict[str, _Snapshot] = {}

    def missing(self, rules: Iterable[Rule], now_ms: int) -> list[Rule]:
        """Return the adaptive rules whose snapshot of this hour was not read yet."""
        return [
            rule
            for rule in rules
            if rule.experiment is not None and rule.experiment.is_adaptive and self._known(rule, now_ms) is None
        ]

    def of(self, rule: Rule, now_ms: int) -> Posterior:
        """Return the parameters of the Beta distribution of each arm's conversion.

        Persons count once their time to reach the goal is over: a person who has just come has not failed yet.

        Args:
            rule: a rule with arms and a goal.
            now_ms: epoch ms.

        Cost: once an hour for each rule as `read_arm_data`.
        """
        known = self._known(rule, now_ms)
        if known is None:
            taken_at = _hour(now_ms)
            known = self._snapshots[rule.id] = _Snapshot(rule.version, taken_at, self._read(rule, taken_at))
        return known.posteriors

    def _known(self, rule: Rule, now_ms: int) -> _Snapshot | None:
        known = self._snapshots.get(rule.id)
        return known if known and (known.version, known.taken_at) == (rule.version, _hour(now_ms)) else None

    def _read(self, rule: Rule, taken_at: int) -> Posterior:
        found = {arm.arm: arm for arm in read_arm_data(self._queries, rule, rule.version, taken_at, only_over=True)}
        names = [name for name, _ in rule.experiment.arms] if rule.experiment else []
        return {name: posterior(found.get(name, ArmData(name, 0, 0))) for name in names}


def _hour(now_ms: int) -> int:
    return now_ms - now_ms % SNAPSHOT_MS


class _Snapshot(msgspec.Struct, frozen=True):
    version: str
    taken_at: int
    posteriors: Posterior
