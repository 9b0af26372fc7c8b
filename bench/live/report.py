"""Figures of two checkouts side by side: ratios first, then both, then who else used the processor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.live.checkout import Checkout


@dataclass(frozen=True)
class Figure:
    """What was measured once.

    Args:
        name: what, such as `1000/s: acknowledgement, p50`.
        value: infinite for what never came.
        unit: such as `ms`.
        compared: whether a ratio to another checkout's says something.
    """

    name: str
    value: float
    unit: str
    compared: bool = True


#: Each checkout's figures, round by round.
Rounds = dict[Checkout, list[list[Figure]]]


def lines(rounds: Rounds) -> list[str]:
    """Return the report of some runs: the first checkout's figures over the second's, then each one's.

    A figure is the median of its rounds.
    """
    checkouts = list(rounds)
    values = {checkout: _medians(rounds[checkout]) for checkout in checkouts}
    report: list[str] = []
    if len(checkouts) > 1:
        new, old = checkouts
        report.append(f"  {new.name} over {old.name} ({len(rounds[new])} rounds, in alternation):")
        for figure in rounds[new][0]:
            if figure.compared and figure.name in values[old]:
                ratio = _ratio(values[new][figure.name], values[old][figure.name])
                report.append(f"    {ratio:>8}  {figure.name}")
    for checkout in checkouts:
        report.append(f"  {checkout.name}:")
        report += [_line(figure, values[checkout][figure.name]) for figure in rounds[checkout][0]]
    return report


def _medians(rounds: Sequence[Sequence[Figure]]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for figure in (figure for figures in rounds for figure in figures):
        found.setdefault(figure.name, []).append(figure.value)
    return {name: median(values) for name, values in found.items()}


def _line(figure: Figure, value: float) -> str:
    shown = "never" if math.isinf(value) else f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"
    return f"    {shown:>12} {figure.unit:<5}  {figure.name}"


def _ratio(new: float, old: float) -> str:
    if math.isinf(new) or math.isinf(old) or math.isnan(new) or math.isnan(old) or old <= 0:
        return "-"
    return f"{new / old:.3f}"
