"""Read the sufficient statistics of an experiment: sums over the persons of each arm, in one query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from trigger_worker.rules.language.duration import LONGEST_WINDOW_MS
from trigger_worker.rules.language.names import names_currency
from trigger_worker.rules.language.syntax import Selection
from trigger_worker.rules.model import HOLDOUT_ARM, Rule
from trigger_worker.store.decisions import BEFORE_HOLDOUT
from trigger_worker.store.goal_sql import ConditionSql
from trigger_worker.store.statements import statement
from warehouse.connection import Row
from warehouse.errors import RuleError
from warehouse.queries import Queries
from warehouse.vocabulary import MESSAGE_EVENTS

#: The arm, in an experiment without arms of its own, of everybody who is not held out.
TREATED_ARM: Final = "treated"


class Spending(msgspec.Struct, frozen=True):
    """Sums of what the persons of one arm spent in one currency.

    Args:
        currency: its code; '' where orders name none.
        revenue: the sum of what they spent within the window, less what was paid back.
        squares: the sum of the squares of what each of them spent.
    """

    currency: str
    revenue: float
    squares: float


class ArmData(msgspec.Struct, frozen=True):
    """Sums over the persons of one arm, from which all other figures follow.

    Args:
        arm: the arm's name.
        visitors: how many persons were exposed.
        conversions: how many of them reached the goal within its window.
        spendings: what they spent within the window, by currency; amounts of two currencies are never added.
    """

    arm: str
    visitors: int
    conversions: int
    spendings: tuple[Spending, ...] = ()

    @property
    def conversion(self) -> Mean:
        """The mean number of conversions of a person."""
        return _mean(self.visitors, self.conversions, self.conversions)

    def spending(self, currency: str) -> Mean:
        """Return the mean revenue of a person in one currency; who spent nothing in it spent 0."""
        found = self.spent(currency)
        return _mean(self.visitors, found.revenue, found.squares)

    def spent(self, currency: str) -> Spending:
        """Return the sums in one currency."""
        return next((each for each in self.spendings if each.currency == currency), Spending(currency, 0.0, 0.0))


class Mean(msgspec.Struct, frozen=True):
    """A mean over some persons, and the variance between them.

    Args:
        count: how many persons.
        mean: 0 without persons.
        variance: of single persons, not of the mean; 0 for fewer than two.
    """

    count: int
    mean: float
    variance: float


def read_arm_data(queries: Queries, rule: Rule, version: str, until: int, *, only_over: bool = False) -> list[ArmData]:
    """Return the sums of each arm that somebody was placed in, the holdout among them.

    Args:
        queries: the ClickHouse database with decisions and events.
        rule: the rule, whose goal is counted.
        version: the version of the rule whose run of the experiment is meant.
        until: the latest instant looked at, epoch ms.
        only_over: whether persons whose time to reach the goal is not over by then are left out.

    Cost: one query over all decisions on the rule's messages, all of `identity`, every goal event since the first of
    those decisions, and the orders and refunds of all time.

    Raises:
        RuleError: the rule has no goal, or one that cannot be counted.
    """
    if rule.goal is None:
        raise RuleError(
            f"{rule.path}: the rule {rule.id} has no goal, so nobody knows what success is",
            "add goal:, such as goal: purchase within 3d",
        )
    window = LONGEST_WINDOW_MS if rule.goal.within is None else rule.goal.within.ms
    condition = ConditionSql("goal", foreign=names_currency(rule.goal.selection.condition))
    names, goal = _goal(rule.goal.selection, condition)
    sql = statement("arm_data", goal_events=names, goal=goal, orders=statement("orders"))
    parameters = {
        "rule": rule.id,
        "version": version,
        "holdout": HOLDOUT_ARM,
        "treated": TREATED_ARM,
        "before_holdout": list(map(str, BEFORE_HOLDOUT)),
        "goal_names": sorted(rule.goal.selection.names),
        "message_events": sorted(MESSAGE_EVENTS),
        "window": window,
        "orders": LONGEST_WINDOW_MS,
        "until": until,
        "exposed_until": until - window if only_over else until,
        **condition.parameters,
    }
    return _arms(queries.query(sql, parameters))


def _arms(rows: Sequence[Row]) -> list[ArmData]:
    """Return the arms of rows, of which each has the sums of one arm in one currency; one without money has no code."""
    arms: dict[str, ArmData] = {}
    for arm, visitors, conversions, currency, revenue, squares in rows:
        known = arms.get(arm) or ArmData(arm, visitors, conversions)
        spent = (Spending(currency, revenue, squares),) if squares else ()
        arms[arm] = msgspec.structs.replace(known, spendings=(*known.spendings, *spent))
    return list(arms.values())


def _goal(selection: Selection, condition: ConditionSql) -> tuple[str, str]:
    """Return two SQL conditions: true for an event that may be the goal, and true for an event that is the goal."""
    names = (
        "e.event NOT IN {message_events:Array(String)}" if selection.is_any else "e.event IN {goal_names:Array(String)}"
    )
    if selection.condition is None:
        return names, names
    return names, f"{names} AND {condition.condition(selection.condition)}"


def _mean(count: int, total: float, squares: float) -> Mean:
    if not count:
        return Mean(0, 0.0, 0.0)
    mean = total / count
    variance = max(0.0, squares - total * mean) / (count - 1) if count > 1 else 0.0
    return Mean(count, mean, variance)
