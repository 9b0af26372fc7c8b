"""The results of an experiment as text for a terminal."""

from __future__ import annotations

from typing import Final

from micromoment.terminal.text import format_table
from trigger_worker.deciding.experiment.results import ArmResult, Results, Revenue
from trigger_worker.deciding.experiment.statistics import FEWEST_VISITORS, USUAL_POWER, Interval

_HEADER: Final = (
    *("arm", "visitors", "conversions", "rate", "uplift", "relative", "uplift within", "p"),
    "best",
)


def results_text(results: Results) -> str:
    """Return a table with one row for each arm, and below it how far the figures can be trusted.

    Each currency in which anybody spent has columns of its own.
    """
    currencies = [each.currency for each in results.arms[0].revenue]
    money = [title for each in currencies for title in (f"revenue {each}".strip(), "per visitor", "uplift within")]
    table = format_table((*_HEADER, *money), [_row(arm) for arm in results.arms])
    return f"{table}\n{_ratio(results)}\n{_intervals(results)}\n{_needed(results)}\n"


def _row(arm: ArmResult) -> tuple[str, ...]:
    interval = arm.uplift_interval
    return (
        arm.data.arm,
        f"{arm.data.visitors:,}",
        f"{arm.data.conversions:,}",
        f"{arm.conversion:.2%}",
        "-" if arm.uplift is None else f"{arm.uplift:+.2%}",
        "-" if arm.relative_uplift is None else f"{arm.relative_uplift:+.1%}",
        "-" if interval is None else f"{interval.low:+.2%} to {interval.high:+.2%}",
        "-" if interval is None else f"{interval.p_value:.4f}",
        f"{arm.best:.1%}",
        *(cell for each in arm.revenue for cell in _money(each)),
    )


def _money(revenue: Revenue) -> tuple[str, str, str]:
    within = revenue.uplift_interval
    return f"{revenue.total:,.2f}", f"{revenue.per_visitor:,.4f}", "-" if within is None else _amounts(within)


def _amounts(interval: Interval) -> str:
    return f"{interval.low:+,.4f} to {interval.high:+,.4f}"


def _ratio(results: Results) -> str:
    """Return the line about the sample ratio: whether the arms have the visitors that their weights promise."""
    if results.ratio_p_value is None:
        return "sample ratio: nothing to check"
    told = f"sample ratio: p = {results.ratio_p_value:.4f}"
    if results.is_ratio_broken:
        return f"{told}, the arms do not have the visitors that their weights promise: believe no other figure"
    return f"{told}, as the weights promise"


def _intervals(results: Results) -> str:
    """Return the line about the intervals of the uplift."""
    if all(arm.uplift_interval is None for arm in results.arms):
        return f"intervals: none yet; each arm needs {FEWEST_VISITORS} visitors and a conversion, and fixed weights"
    return f"intervals: {1 - results.alpha:.0%} for each arm against {results.control}, however often you look"


def _needed(results: Results) -> str:
    """Return the line about the smallest sample that finds the expected effect."""
    if results.needed is None:
        return f"smallest sample: unknown while nobody of {results.control} has converted"
    size, uplift = f"{results.needed:,} visitors in each arm", f"an uplift of {results.effect:.1%} (relative)"
    return f"smallest sample: {size} to find {uplift}, power {USUAL_POWER:.0%}, in one look"
