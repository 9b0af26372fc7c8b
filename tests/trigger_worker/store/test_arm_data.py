"""One query counts each exposed person once, and what they did in the goal's window."""

from __future__ import annotations

from typing import Any

import pytest

from tests.trigger_worker.rules.evaluate.support import rule
from tests.trigger_worker.store.decided import VERSION, buys, decide
from tests.trigger_worker.stored import NOON, event_row, store
from trigger_worker.deciding.gate import checks
from trigger_worker.deciding.gate.judge import CHECKS
from trigger_worker.store.arm_data import ArmData, read_arm_data
from trigger_worker.store.decisions import BEFORE_HOLDOUT, Reason
from warehouse.connection import Warehouse
from warehouse.errors import RuleError

LINGERS = rule("id: lingers\nwhen: hover\ngoal: purchase[value >= 50] within 1h\nsend: [{banner: hello}]")
LATER = NOON + 100 * 3_600_000
HOUR = 3_600_000


def found(warehouse: Warehouse, **options: Any) -> dict[str, tuple[float, ...]]:
    arms = read_arm_data(warehouse, LINGERS, VERSION, options.pop("until", LATER), **options)
    sums = {arm.arm: arm.spent("") for arm in arms}
    return {arm.arm: (arm.visitors, arm.conversions, sums[arm.arm].revenue, sums[arm.arm].squares) for arm in arms}


def test_arms_are_counted_with_what_their_visitors_did(warehouse: Warehouse) -> None:
    for visitor, arm in (("anna", "plain"), ("bob", "plain"), ("cleo", "coupon")):
        decide(warehouse, visitor, arm)
    decide(warehouse, "dora", "plain", "holdout")
    buys(warehouse, "anna", 60, NOON + 1)
    buys(warehouse, "anna", 20, NOON + HOUR)
    buys(warehouse, "cleo", 49, NOON + 1)
    buys(warehouse, "stranger", 500, NOON + 1)
    assert found(warehouse) == {
        "plain": (2, 1, 80, 6400),
        "coupon": (1, 0, 49, 2401),
        "holdout": (1, 0, 0, 0),
    }


def test_what_was_before_the_exposure_or_after_the_window_is_not_counted(warehouse: Warehouse) -> None:
    decide(warehouse, "anna")
    for at in (NOON - 1, NOON, NOON + HOUR + 1):
        buys(warehouse, "anna", 60, at)
    assert found(warehouse) == {"treated": (1, 0, 0, 0)}


def test_a_visitor_is_exposed_once_by_the_first_decision(warehouse: Warehouse) -> None:
    decide(warehouse, "anna", "plain")
    decide(warehouse, "anna", "coupon", at=NOON + 2 * HOUR)
    buys(warehouse, "anna", 60, NOON + 2 * HOUR + 1)
    assert found(warehouse) == {"plain": (1, 0, 0, 0)}


def test_a_person_is_one_whatever_the_ids(warehouse: Warehouse) -> None:
    decide(warehouse, "phone", "plain")
    decide(warehouse, "u1", "coupon", at=NOON + 1)
    store(warehouse, event_row("login", "phone", NOON + 2, user="u1"), event_row("login", "laptop", NOON, user="u1"))
    buys(warehouse, "laptop", 60, NOON + 3)
    assert found(warehouse) == {"plain": (1, 1, 60, 3600)}


def test_an_event_that_is_stored_twice_counts_once(warehouse: Warehouse) -> None:
    decide(warehouse, "anna")
    for _ in range(2):
        buys(warehouse, "anna", 60, NOON + 1, event_id="one")
    assert found(warehouse) == {"treated": (1, 1, 60, 3600)}


def test_only_decisions_that_came_as_far_as_the_holdout_are_exposures(warehouse: Warehouse) -> None:
    before = ("no_consent", "unsubscribed", "suppressed", "no_address", "address_unconfirmed", "address_confirmed")
    for number, reason in enumerate(before):
        decide(warehouse, f"visitor-{number}", "plain", reason)
    decide(warehouse, "globally", "plain", "holdout", detail={"holdout": "global"})
    decide(warehouse, "capped", "plain", "cap")
    assert found(warehouse) == {"plain": (1, 0, 0, 0)}


def test_exposures_are_what_the_gate_asks_about_after_the_holdout() -> None:
    before = CHECKS[: CHECKS.index(checks.holdout)]
    assert before == (checks.consent, checks.subscription, checks.suppression, checks.address, checks.confirmation)
    of_address = (Reason.NO_ADDRESS, Reason.ADDRESS_UNCONFIRMED, Reason.ADDRESS_CONFIRMED)
    assert (Reason.NO_CONSENT, Reason.UNSUBSCRIBED, Reason.SUPPRESSED, *of_address) == BEFORE_HOLDOUT


def test_another_version_is_another_run(warehouse: Warehouse) -> None:
    decide(warehouse, "anna", "plain")
    decide(warehouse, "anna", "coupon", at=NOON + 1, version="v2")
    decide(warehouse, "bob", "coupon", rule="other")
    assert found(warehouse) == {"plain": (1, 0, 0, 0)}


def test_the_past_can_be_asked_again(warehouse: Warehouse) -> None:
    decide(warehouse, "anna", "plain")
    decide(warehouse, "bob", "plain", at=NOON + 1000)
    buys(warehouse, "anna", 60, NOON + 1000)
    assert found(warehouse, until=NOON + 999) == {"plain": (1, 0, 0, 0)}
    assert found(warehouse, until=NOON + HOUR, only_over=True) == {"plain": (1, 1, 60, 3600)}
    assert found(warehouse, until=NOON + HOUR + 1000, only_over=True) == {"plain": (2, 1, 60, 3600)}


@pytest.mark.parametrize(
    ("goal", "conversions"), [("any within 1h", 1), ("login within 1h", 1), ("(login or sign_up)", 1), ("search", 0)]
)
def test_a_goal_may_be_any_event(warehouse: Warehouse, goal: str, conversions: int) -> None:
    decide(warehouse, "anna")
    store(warehouse, event_row("message_shown", "anna", NOON + 1), event_row("login", "anna", NOON + 2))
    text = f"id: lingers\nwhen: hover\ngoal: {goal}\nsend: [{{banner: hello}}]"
    assert read_arm_data(warehouse, rule(text), VERSION, LATER) == [ArmData("treated", 1, conversions)]


def test_a_rule_without_a_goal_is_refused_with_a_remedy(embedded_warehouse: Warehouse) -> None:
    with pytest.raises(RuleError, match="no goal"):
        read_arm_data(embedded_warehouse, rule("when: hover"), VERSION, LATER)
