from __future__ import annotations

import math
from pathlib import Path

from bench.live.checkout import Checkout
from bench.live.report import Figure, lines

THIS, OTHER = Checkout("this", Path("a")), Checkout("before", Path("b"))


def rounds(*values: float) -> list[list[Figure]]:
    return [[Figure("p50", value, "ms"), Figure("samples", 9, "", compared=False)] for value in values]


def test_ratios_of_the_medians_come_first_and_both_figures_follow() -> None:
    report = lines({THIS: rounds(1.0, 9.0, 2.0), OTHER: rounds(4.0, 4.0, 5.0)})
    assert report == [
        "  this over before (3 rounds, in alternation):",
        "       0.500  p50",
        "  this:",
        "           2.000 ms     p50",
        "           9.000        samples",
        "  before:",
        "           4.000 ms     p50",
        "           9.000        samples",
    ]


def test_what_never_came_has_no_ratio() -> None:
    report = lines({THIS: rounds(1.0), OTHER: rounds(math.inf)})
    assert report[1] == "           -  p50"
    assert "           never ms     p50" in report


def test_one_checkout_alone_has_no_ratios() -> None:
    assert lines({THIS: rounds(1.0)})[0] == "  this:"
