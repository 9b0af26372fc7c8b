"""What several rules look at together."""

from __future__ import annotations

import pytest

from tests.trigger_worker.rules.evaluate.support import rule
from trigger_worker.live import shared_needs
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.live.shared_needs import SharedNeeds
from trigger_worker.rules.evaluate.live_rule import LiveRule
from trigger_worker.store.windows import Wanted

RULES = LiveRules(
    [
        rule("id: one\nwhen: 'hover[price > 1]'\nif: count(scroll, 1h) > 1"),
        rule("id: like_one\nwhen: 'hover[price > 2]'\nif: count(scroll, 1h) > 2"),
        rule("id: other\nwhen: 'copy[category == \"a\"]'\nif: 'count(scroll, 2h) > 1 and device == \"mobile\"'"),
    ]
)
ONE, LIKE_ONE, OTHER = RULES.by_id.values()


def wanted(*rules: LiveRule, shared: SharedNeeds = RULES.shared_needs) -> Wanted:
    return shared.wanted(shared.kinds(rules))


def test_what_rules_look_at_is_joined_but_for_surroundings() -> None:
    joined = wanted(ONE, OTHER)
    assert joined.lookback_ms == {"hover": 0, "copy": 0, "scroll": 7_200_000}
    assert joined.fields == frozenset({"price", "category"})
    assert joined.contexts == frozenset()


def test_rules_that_look_at_the_same_share_it() -> None:
    assert wanted(ONE) is wanted(LIKE_ONE, ONE)
    assert wanted(ONE) is not wanted(OTHER)


def test_what_more_rules_look_at_holds_what_each_of_them_does() -> None:
    kinds = RULES.shared_needs.kinds
    assert kinds([ONE]) == kinds([LIKE_ONE]) < kinds([ONE, OTHER])
    assert not kinds([ONE]) & kinds([OTHER])


def test_what_was_forgotten_is_worked_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_needs, "MAX_REMEMBERED", 1)
    shared = SharedNeeds([ONE, OTHER])
    before = wanted(ONE, shared=shared)
    wanted(OTHER, shared=shared)
    assert wanted(ONE, shared=shared) == before
