"""Whether a firing reached its goal."""

from __future__ import annotations

import pytest

from tests.trigger_worker.rules.evaluate.support import NOON, event, ms, rule
from trigger_worker.rules.evaluate.goal import goal_instant, goal_needs, goal_reached
from trigger_worker.rules.evaluate.history import History


@pytest.mark.parametrize(
    ("goal", "after", "now", "expected"),
    [
        ("purchase", "1h", "2h", True),
        ("purchase", "0s", "2h", False),
        ("purchase", "-1h", "2h", False),
        ("purchase", "2h", "2h", True),
        ("purchase", "3h", "2h", False),
        ("purchase within 1h", "1h", "2h", True),
        ("purchase within 1h", "61m", "2h", False),
        ("purchase[value >= 50]", "1h", "2h", True),
        ("purchase[value > 50]", "1h", "2h", False),
        ("(sign_up or purchase)", "1h", "2h", True),
        ("sign_up", "1h", "2h", False),
    ],
)
def test_the_goal_must_happen_after_the_firing_and_in_its_window(
    goal: str, after: str, now: str, expected: bool
) -> None:
    history = History([event("purchase", after, value=50)])
    assert goal_reached(rule(f"when: hover\ngoal: '{goal}'").goal, history, NOON, NOON + ms(now)) is expected


def test_the_first_event_of_the_goal_counts() -> None:
    history = History([event("purchase", after) for after in ("-1h", "1h", "2h")])
    goal = rule("when: hover\ngoal: purchase within 1h").goal
    assert goal_instant(goal, history, NOON) == NOON + ms("1h")
    assert goal_instant(goal, history, NOON + 1) == NOON + ms("1h")
    assert goal_instant(goal, history, NOON + ms("1h")) == NOON + ms("2h")
    assert goal_instant(goal, history, NOON + ms("2h")) is None


def test_without_a_goal_none_is_reached() -> None:
    assert goal_reached(None, History([event("purchase", "1h")]), NOON, NOON + ms("2h")) is False
    assert goal_needs(None, 1000) == []


def test_a_goal_looks_at_its_events_since_the_firing() -> None:
    (needs,) = goal_needs(rule("when: hover\ngoal: purchase[value > 50] within 3d").goal, 1000)
    assert needs.lookback_ms == {"purchase": 1000}
    assert needs.fields == {"value"}
