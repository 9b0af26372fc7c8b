"""Results of an experiment: each arm beside the control, with intervals, and whether the figures can be trusted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from trigger_worker.deciding.experiment.statistics import (
    MISMATCH_BELOW,
    Interval,
    difference_interval,
    probabilities_to_be_best,
    sample_ratio_p_value,
    visitors_per_arm,
)
from trigger_worker.rules.model import HOLDOUT_ARM, Experiment
from trigger_worker.store.arm_data import TREATED_ARM, ArmData

#: The probability of an error that intervals have unless asked otherwise.
USUAL_ALPHA: Final = 0.05


class Revenue(msgspec.Struct, frozen=True):
    """What the persons of an arm spent in one currency, beside those of the control.

    Args:
        currency: its code; '' where orders name none.
        total: the sum, less what was paid back.
        per_visitor: the mean of a person.
        uplift_interval: the interval of the difference of that mean to the control's; None while too little is known.
    """

    currency: str
    total: float
    per_visitor: float
    uplift_interval: Interval | None = None


class ArmResult(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one arm, beside the control.

    Args:
        data: the sums over its persons.
        conversion: the mean of a person.
        revenue: what its persons spent, a figure for each currency that any arm has; amounts of two are never added.
        uplift: the difference in conversion to the control; None for the control itself.
        relative_uplift: the same as a share of the control's conversion; None when that is 0.
        uplift_interval: the interval of the difference in conversion; None while too little is known.
        best: the probability that the arm converts best.
    """

    data: ArmData
    conversion: float
    revenue: tuple[Revenue, ...]
    uplift: float | None = None
    relative_uplift: float | None = None
    uplift_interval: Interval | None = None
    best: float


class Results(msgspec.Struct, frozen=True):
    """The figures of a whole experiment.

    Args:
        control: the arm that other arms are compared with: the holdout, or else the first arm.
        arms: the control first.
        alpha: the probability of an error of the intervals.
        ratio_p_value: the probability that chance put the arms so far from their weights; None where there is nothing
            to compare, or where the weights changed on the way.
        is_ratio_broken: whether that is too improbable, so that no other figure should be believed.
        effect: the relative uplift that `needed` is about.
        needed: the number of persons that each arm needs to find it; None while nobody converted.
    """

    control: str
    arms: tuple[ArmResult, ...]
    alpha: float
    ratio_p_value: float | None
    is_ratio_broken: bool
    effect: float
    needed: int | None


def shares_of(experiment: Experiment) -> dict[str, float]:
    """Return, by arm, the share of persons that it should have, the control first."""
    arms = experiment.arms or ((TREATED_ARM, 1.0),)
    total = sum(weight for _, weight in arms)
    shares = {name: (1 - experiment.holdout) * weight / total for name, weight in arms}
    return {HOLDOUT_ARM: experiment.holdout, **shares} if experiment.holdout else shares


def results_of(experiment: Experiment, found: Iterable[ArmData], effect: float, alpha: float = USUAL_ALPHA) -> Results:
    """Return the results of an experiment.

    Args:
        experiment: how persons are divided.
        found: the sums of the arms; an arm that nobody met may be missing, an arm that is gone stands at the end.
        effect: the relative uplift that the sample size is asked for, such as 0.1.
        alpha: the probability of an error that each interval keeps to.
    """
    shares = shares_of(experiment)
    counted = {arm.arm: arm for arm in found}
    arms = [counted.get(name, ArmData(name, 0, 0)) for name in dict.fromkeys([*shares, *counted])]
    control, best = arms[0], probabilities_to_be_best(arms)
    currencies = sorted({spent.currency for arm in arms for spent in arm.spendings}) or [""]
    is_fixed = not experiment.is_adaptive
    p_value = sample_ratio_p_value({arm.arm: arm.visitors for arm in arms}, shares) if is_fixed else None
    return Results(
        control=control.arm,
        arms=tuple(
            msgspec.structs.replace(
                _arm(arm, control, best, alpha, is_fixed=is_fixed),
                revenue=tuple(_revenue(arm, control, each, alpha, is_fixed=is_fixed) for each in currencies),
            )
            for arm in arms
        ),
        alpha=alpha,
        ratio_p_value=p_value,
        is_ratio_broken=p_value is not None and p_value < MISMATCH_BELOW,
        effect=effect,
        needed=visitors_per_arm(control.conversion.mean, control.conversion.mean * effect, alpha),
    )


def _arm(arm: ArmData, control: ArmData, best: Mapping[str, float], alpha: float, *, is_fixed: bool) -> ArmResult:
    own, base = arm.conversion, control.conversion
    result = ArmResult(data=arm, conversion=own.mean, revenue=(), best=best[arm.arm])
    if arm is control:
        return result
    uplift = own.mean - base.mean
    # Where the arms' weights follow their success, visitors of one arm came at other times than those of another.
    return msgspec.structs.replace(
        result,
        uplift=uplift,
        relative_uplift=uplift / base.mean if base.mean else None,
        uplift_interval=difference_interval(own, base, alpha) if is_fixed else None,
    )


def _revenue(arm: ArmData, control: ArmData, currency: str, alpha: float, *, is_fixed: bool) -> Revenue:
    own, base = arm.spending(currency), control.spending(currency)
    interval = difference_interval(own, base, alpha) if is_fixed and arm is not control else None
    return Revenue(currency, arm.spent(currency).revenue, own.mean, interval)
