"""What several rules look at together."""

from __future__ import annotations

import pytest

from tests.trigger_worker.evaluate.support import rule
from trigger_worker import shared_needs
from trigger_worker.live_rules import LiveRules

RULES = LiveRules(
    [
        rule("id: one\nwhen: 'hover[price > 1]'\nif: count(scroll, 1h) > 1"),
        rule("id: like_one\nwhen: 'hover[price > 2]'\nif: count(scroll, 1h) > 2"),
        rule("id: other\nwhen: 'copy[category == \"a\"]'\nif: 'count(scroll, 2h) > 1 and device == \"mobile\"'"),
    ]
)
ONE, LIKE_ONE, OTHER = RULES.by_id.values()


def test_what_rules_look_at_is_joined_but_for_surroundings() -> None:
    wanted = RULES.shared_needs.wanted([ONE, OTHER])
    assert wanted.lookback_ms == {"hover": 0, "copy": 0, "scroll": 7_200_000}
    assert wanted.fields == frozenset({"price", "category"})
    assert wanted.contexts == frozenset()


def test_rules_that_look_at_the_same_share_it() -> None:
    assert RULES.shared_needs.wanted([ONE]) is RULES.shared_needs.wanted([LIKE_ONE, ONE])
    assert RULES.shared_needs.wanted([ONE]) is not RULES.shared_needs.wanted([OTHER])


def test_what_was_forgotten_is_worked_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_needs, "MAX_REMEMBERED", 1)
    shared = shared_needs.SharedNeeds([ONE, OTHER])
    before = shared.wanted([ONE])
    shared.wanted([OTHER])
    assert shared.wanted([ONE]) == before
