from __future__ import annotations

from micromoment.terminal.experiment_report import results_text
from trigger_worker.deciding.experiment.results import Results, results_of
from trigger_worker.rules.model import Experiment
from trigger_worker.store.arm_data import ArmData, Spending

HALVES = Experiment(arms=(("plain", 1.0), ("coupon", 1.0)))


def results(*arms: ArmData, experiment: Experiment = HALVES) -> Results:
    return results_of(experiment, arms, 0.1, 0.05)


def test_every_arm_has_a_row_and_the_control_is_compared_with_nothing() -> None:
    found = results(
        ArmData("plain", 1000, 100, (Spending("EUR", 2000.0, 50_000.0),)),
        ArmData("coupon", 1000, 150, (Spending("EUR", 2500.0, 60_000.0),)),
    )
    header, control, coupon, *_ = results_text(found).splitlines()
    assert header.split()[:5] == ["arm", "visitors", "conversions", "rate", "uplift"]
    assert control.split()[:8] == ["plain", "1,000", "100", "10.00%", "-", "-", "-", "-"]
    assert coupon.split()[:6] == ["coupon", "1,000", "150", "15.00%", "+5.00%", "+50.0%"]
    assert "to" in coupon


def test_each_currency_has_columns_of_its_own() -> None:
    spent = (Spending("EUR", 2000.0, 50_000.0), Spending("JPY", 90_000.0, 9e7))
    found = results(ArmData("plain", 1000, 100, spent), ArmData("coupon", 1000, 150, spent[:1]))
    header, control, coupon, *_ = results_text(found).splitlines()
    assert header[header.index("revenue") :].split("  ")[0] == "revenue EUR"
    assert "revenue JPY" in header
    assert ("2,000.00" in control, "90,000.00" in control) == (True, True)
    assert ("2,000.00" in coupon, "0.00" in coupon.split()) == (True, True)


def test_below_the_table_stands_how_far_the_figures_hold() -> None:
    text = results_text(results(ArmData("plain", 1000, 100), ArmData("coupon", 1000, 150)))
    *_, ratio, intervals, needed = text.splitlines()
    assert ratio == "sample ratio: p = 1.0000, as the weights promise"
    assert intervals == "intervals: 95% for each arm against plain, however often you look"
    assert needed.startswith("smallest sample: ")
    assert needed.endswith("an uplift of 10.0% (relative), power 80%, in one look")


def test_arms_that_are_not_as_their_weights_promise_are_warned_of() -> None:
    text = results_text(results(ArmData("plain", 1000, 100), ArmData("coupon", 600, 90)))
    assert "believe no other figure" in text


def test_without_visitors_nothing_is_claimed() -> None:
    *_, ratio, intervals, needed = results_text(results(ArmData("plain", 0, 0), ArmData("coupon", 0, 0))).splitlines()
    assert ratio == "sample ratio: nothing to check"
    assert intervals.startswith("intervals: none yet; each arm needs 100 visitors")
    assert needed == "smallest sample: unknown while nobody of plain has converted"
