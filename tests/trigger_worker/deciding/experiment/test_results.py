from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.deciding.experiment.results import Results, Revenue, results_of, shares_of
from trigger_worker.deciding.experiment.statistics import visitors_per_arm
from trigger_worker.rules.model import Experiment
from trigger_worker.store.arm_data import ArmData, Spending

HELD_OUT = Experiment(0.1, (("plain", 50.0), ("coupon", 50.0)))
FOUND = [
    ArmData("coupon", 4_500, 540, (Spending("EUR", 27_000.0, 1_900_000.0),)),
    ArmData("holdout", 1_000, 80, (Spending("EUR", 4_000.0, 280_000.0),)),
    ArmData("plain", 4_480, 440, (Spending("EUR", 22_000.0, 1_500_000.0),)),
]


def asked(experiment: Experiment = HELD_OUT, found: list[ArmData] = FOUND) -> Results:
    return results_of(experiment, found, effect=0.1)


@pytest.mark.parametrize(
    ("experiment", "shares"),
    [
        (HELD_OUT, {"holdout": 0.1, "plain": 0.45, "coupon": 0.45}),
        (Experiment(0.25), {"holdout": 0.25, "treated": 0.75}),
        (Experiment(0.0, (("a", 1.0), ("b", 3.0))), {"a": 0.25, "b": 0.75}),
    ],
)
def test_the_control_is_the_holdout_or_else_the_first_arm(experiment: Experiment, shares: dict[str, float]) -> None:
    assert shares_of(experiment) == shares
    assert results_of(experiment, [], effect=0.1).control == next(iter(shares))


def test_arms_stand_beside_the_control() -> None:
    results = asked()
    holdout, plain, coupon = results.arms
    assert (holdout.data.arm, plain.data.arm, coupon.data.arm) == ("holdout", "plain", "coupon")
    assert (holdout.uplift, holdout.uplift_interval) == (None, None)
    assert holdout.revenue == (Revenue("EUR", 4_000.0, 4.0),)
    assert coupon.conversion == 0.12
    assert (coupon.revenue[0].total, coupon.revenue[0].per_visitor) == (27_000.0, 6.0)
    assert coupon.uplift == pytest.approx(0.04)
    assert coupon.relative_uplift == pytest.approx(0.5)
    assert sum(arm.best for arm in results.arms) == pytest.approx(1)
    assert coupon.best > 0.99
    assert (results.is_ratio_broken, results.needed) == (False, visitors_per_arm(0.08, 0.008, 0.05))


def test_every_interval_is_around_its_difference() -> None:
    for arm in asked().arms[1:]:
        assert arm.uplift is not None
        assert arm.uplift_interval is not None
        (revenue,) = arm.revenue
        assert revenue.uplift_interval is not None
        assert arm.uplift_interval.low < arm.uplift < arm.uplift_interval.high
        assert revenue.uplift_interval.low < revenue.per_visitor - 4.0 < revenue.uplift_interval.high


def test_each_currency_has_figures_of_its_own_and_none_is_added_to_another() -> None:
    yen = Spending("JPY", 900_000.0, 9e9)
    found = [msgspec.structs.replace(FOUND[0], spendings=(*FOUND[0].spendings, yen)), *FOUND[1:]]
    holdout, plain, coupon = asked(found=found).arms
    assert [(each.currency, each.total, each.per_visitor) for each in coupon.revenue] == [
        ("EUR", 27_000.0, 6.0),
        ("JPY", 900_000.0, 200.0),
    ]
    # Who spent nothing in a currency spent 0 of it: all arms have the same currencies.
    assert [(each.currency, each.total) for each in holdout.revenue] == [("EUR", 4_000.0), ("JPY", 0.0)]
    assert [(each.currency, each.total) for each in plain.revenue] == [("EUR", 22_000.0), ("JPY", 0.0)]


def test_a_broken_ratio_is_told() -> None:
    found = [*FOUND[:2], ArmData("plain", 4_000, 400)]
    assert asked(found=found).is_ratio_broken


def test_weights_that_followed_success_give_no_interval_and_no_ratio() -> None:
    results = asked(Experiment(0.1, HELD_OUT.arms, "thompson"))
    assert results.ratio_p_value is None
    assert {arm.uplift_interval for arm in results.arms} == {None}
    assert results.arms[2].uplift == pytest.approx(0.04)


def test_an_arm_that_is_gone_is_still_counted() -> None:
    results = asked(found=[*FOUND, ArmData("bundle", 1_000, 300)])
    assert [arm.data.arm for arm in results.arms] == ["holdout", "plain", "coupon", "bundle"]
    assert results.ratio_p_value == asked().ratio_p_value


def test_nothing_yet_is_no_error() -> None:
    results = asked(found=[])
    assert [arm.best for arm in results.arms] == pytest.approx([1 / 3] * 3)
    assert (results.ratio_p_value, results.needed, results.arms[1].relative_uplift) == (None, None, None)


@given(st.lists(st.floats(0, 1_000), max_size=50))
def test_sums_say_what_the_single_visitors_would(spent: list[float]) -> None:
    arm = ArmData("a", len(spent), 0, (Spending("EUR", sum(spent), sum(amount**2 for amount in spent)),))
    mean = sum(spent) / len(spent) if spent else 0.0
    variance = sum((amount - mean) ** 2 for amount in spent) / (len(spent) - 1) if len(spent) > 1 else 0.0
    assert arm.spending("EUR").mean == pytest.approx(mean)
    assert arm.spending("EUR").variance == pytest.approx(variance, rel=1e-6, abs=1e-3)
