from __future__ import annotations

import pytest

from trigger_worker.deciding.experiment.sample_size import visitors_per_arm


@pytest.mark.parametrize(("rate", "effect", "visitors"), [(0.2, 0.05, 1_030), (0.2, 0.01, 25_255)])
def test_it_is_what_evan_millers_calculator_says(rate: float, effect: float, visitors: int) -> None:
    """20 % and 5 points, absolute and relative, at 80 % power and 5 %: www.evanmiller.org/ab-testing/sample-size.html.

    The calculator rounds to the nearest visitor, we round up.
    """
    found = visitors_per_arm(rate, effect, 0.05)
    assert found is not None
    assert 0 <= found - visitors <= 1


def test_smaller_effects_and_more_certainty_take_more_visitors() -> None:
    usual = visitors_per_arm(0.1, 0.02, 0.05) or 0
    assert (visitors_per_arm(0.1, 0.01, 0.05) or 0) > usual
    assert (visitors_per_arm(0.1, 0.02, 0.01) or 0) > usual
    assert (visitors_per_arm(0.1, 0.02, 0.05, power=0.9) or 0) > usual


@pytest.mark.parametrize(("rate", "effect"), [(0.0, 0.1), (1.0, 0.1), (0.95, 0.1), (0.1, 0.0)])
def test_what_cannot_be_has_no_sample(rate: float, effect: float) -> None:
    assert visitors_per_arm(rate, effect, 0.05) is None
