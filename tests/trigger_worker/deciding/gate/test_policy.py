from __future__ import annotations

import pytest

from trigger_worker.deciding.gate.cap import Cap
from trigger_worker.deciding.gate.policy import FATIGUE_LOOKBACK_MS, Fatigue, Policy

HOUR = 3_600_000


@pytest.mark.parametrize(
    ("policy", "lookback_ms"),
    [
        (Policy(), 0),
        (Policy(gap_ms={"banner": 30_000}), 30_000),
        (Policy(caps=(Cap(max=1, per_ms=HOUR), Cap(max=2, per_ms=5 * HOUR)), gap_ms={"banner": 30_000}), 5 * HOUR),
        (Policy(fatigue=Fatigue(3, HOUR)), FATIGUE_LOOKBACK_MS),
        (Policy(fatigue=Fatigue(3, 2 * FATIGUE_LOOKBACK_MS)), 2 * FATIGUE_LOOKBACK_MS),
    ],
)
def test_looks_as_far_back_as_its_longest_window(policy: Policy, lookback_ms: int) -> None:
    assert policy.lookback_ms == lookback_ms
