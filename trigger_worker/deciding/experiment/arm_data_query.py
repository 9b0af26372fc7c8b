"""Reads the sufficient statistics of an experiment, in one query."""

from __future__ import annotations

from typing import Final

from trigger_worker.deciding.experiment.arm_data import TREATED_ARM, ArmData
from trigger_worker.deciding.experiment.goal_sql import ConditionSql
from trigger_worker.deciding.gate.verdict import Reason
from trigger_worker.rules.language.duration import LONGEST_WINDOW_MS
from trigger_worker.rules.language.syntax import Selection
from trigger_worker.rules.model import HOLDOUT_ARM, Rule
from warehouse.errors import RuleError
from warehouse.queries import Queries, read_sql
from warehouse.vocabulary import MESSAGE_EVENTS

PACKAGE: Final = "trigger_worker.deciding.experiment"
#: What the gate asks before it asks about the holdout.
BEFORE_HOLDOUT: Final = (Reason.NO_CONSENT, Reason.UNSUBSCRIBED, Reason.SUPPRESSED, Reason.NO_ADDRESS)


def read_arm_data(queries: Queries, rule: Rule, version: str, until: int, *, only_over: bool = False) -> list[ArmData]:
    """Return what is known of each arm that somebody met, the holdout's among them.

    Args:
        queries: where decisions and events are.
        rule: whose goal counts.
        version: of the rule, whose run of the experiment is meant.
        until: the latest instant looked at, epoch milliseconds.
        only_over: whether visitors whose time to reach the goal is not over by then are left out.

    Raises:
        RuleError: the rule has no goal, or one that cannot be counted.
    """
    if rule.goal is None:
        raise RuleError(
            f"{rule.path}: the rule {rule.id} has no goal, so nobody knows what success is",
            "add goal:, such as goal: purchase within 3d",
        )
    window = LONGEST_WINDOW_MS if rule.goal.within is None else rule.goal.within.ms
    condition = ConditionSql("goal")
    names, goal = _goal(rule.goal.selection, condition)
    sql = read_sql(PACKAGE, "arm_data").replace("/* goal events */", names).replace("/* goal */", goal)
    parameters = {
        "rule": rule.id,
        "version": version,
        "holdout": HOLDOUT_ARM,
        "treated": TREATED_ARM,
        "before_holdout": [reason.value for reason in BEFORE_HOLDOUT],
        "goal_names": sorted(rule.goal.selection.names),
        "message_events": sorted(MESSAGE_EVENTS),
        "window": window,
        "until": until,
        "exposed_until": until - window if only_over else until,
        **condition.parameters,
    }
    return [ArmData(*row) for row in queries.query(sql, parameters)]


def _goal(selection: Selection, condition: ConditionSql) -> tuple[str, str]:
    """Return which events may be the goal, and which are, as SQL."""
    names = (
        "e.event NOT IN {message_events:Array(String)}" if selection.is_any else "e.event IN {goal_names:Array(String)}"
    )
    if selection.condition is None:
        return names, names
    return names, f"{names} AND {condition.condition(selection.condition)}"
