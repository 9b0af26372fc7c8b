from __future__ import annotations

import pytest

from trigger_worker.gate.policy import FATIGUE_LOOKBACK_MS, Cap, Fatigue, Policy
from trigger_worker.rules.model import MessageClass

HOUR = 3_600_000


@pytest.mark.parametrize(
    ("cap", "channel", "tags", "message_class", "covered"),
    [
        (Cap(max=1, per_ms=1), "email", set(), "marketing", True),
        (Cap(max=1, per_ms=1, channel="email"), "email", set(), "transactional", True),
        (Cap(max=1, per_ms=1, channel="email"), "banner", set(), "marketing", False),
        (Cap(max=1, per_ms=1, tag="discount"), "email", {"discount", "new"}, "marketing", True),
        (Cap(max=1, per_ms=1, tag="discount"), "email", {"new"}, "marketing", False),
        (Cap(max=1, per_ms=1, message_class="marketing"), "email", set(), "transactional", False),
        (Cap(max=1, per_ms=1, channel="email", tag="discount"), "sms", {"discount"}, "marketing", False),
    ],
)
def test_a_cap_covers_what_fits_all_its_fields(
    cap: Cap, channel: str, tags: set[str], message_class: MessageClass, covered: bool
) -> None:
    assert cap.covers(channel, frozenset(tags), message_class) is covered


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
