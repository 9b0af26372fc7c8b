"""What an adaptive experiment has learned, as of the last full hour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from trigger_worker.deciding.experiment.arm_data import ArmData
from trigger_worker.deciding.experiment.arm_data_query import read_arm_data
from trigger_worker.deciding.experiment.best_arm import posterior
from trigger_worker.rules.model import Rule
from warehouse.queries import Queries

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
