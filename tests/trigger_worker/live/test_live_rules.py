"""Which rules an event concerns."""

from __future__ import annotations

import pytest

from tests.trigger_worker.rules.evaluate.support import rule
from trigger_worker.live import live_rules as shared_needs
from trigger_worker.live.live_rules import LiveRules, SharedNeeds
from trigger_worker.rules.evaluate.compiled_rule import CompiledRule
from trigger_worker.store.windows import Wanted

RULES = LiveRules(
    [
        rule("id: single\nwhen: hover"),
        rule("id: chained\nwhen: view_item -> add_to_cart within 2m"),
        rule("id: either\nwhen: (search or hover)\nif: count(scroll, 1h) > 2"),
        rule("id: whatever\nwhen: any"),
        rule("id: mobile\nwhen: copy\nif: device == 'mobile'".replace("'", '"')),
        rule("id: abandoned\nwhen: add_to_cart -> no purchase within 15m"),
        rule("id: searched\nwhen: search -> no any within 15m"),
        rule("id: gone\nwhen: any -> no any within 14d"),
    ]
)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("hover", {"single", "either", "whatever"}),
        ("search", {"either", "whatever"}),
        ("add_to_cart", {"chained", "whatever"}),
        ("view_item", {"whatever"}),
        ("purchase", {"whatever"}),
        ("custom", {"whatever"}),
        ("email_opened", set()),
    ],
)
def test_an_event_completes_the_rules_that_end_with_it_and_do_not_wait(event: str, expected: set[str]) -> None:
    assert {compiled.rule.id for compiled in RULES.completed_by(event)} == expected


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("view_item", {"chained", "whatever", "mobile", "searched", "gone"}),
        ("scroll", {"either", "whatever", "mobile", "searched", "gone"}),
        ("purchase", {"abandoned", "whatever", "mobile", "searched", "gone"}),
        ("email_opened", {"mobile"}),
    ],
)
def test_the_answer_of_a_rule_depends_on_every_event_that_it_looks_at(event: str, expected: set[str]) -> None:
    assert {compiled.rule.id for compiled in RULES.looking_at(event)} == expected


def test_what_completes_a_rule_at_once_is_looked_at_by_it() -> None:
    for event in ("hover", "search", "add_to_cart", "custom", "email_opened"):
        assert set(RULES.completed_by(event)) <= set(RULES.looking_at(event))


def test_rules_that_wait_equally_long_share_a_wait() -> None:
    assert [(wait.wait_ms, wait.names, {compiled.rule.id for compiled in wait.rules}) for wait in RULES.waits] == [
        (900_000, frozenset({"add_to_cart", "search"}), {"abandoned", "searched"}),
        (14 * 86_400_000, frozenset({"any"}), {"gone"}),
    ]


def test_no_rules_are_no_trouble() -> None:
    assert list(LiveRules().completed_by("hover")) == []
    assert LiveRules().waits == []


RULES_THAT_SHARE = LiveRules(
    [
        rule("id: one\nwhen: 'hover[price > 1]'\nif: count(scroll, 1h) > 1"),
        rule("id: like_one\nwhen: 'hover[price > 2]'\nif: count(scroll, 1h) > 2"),
        rule("id: other\nwhen: 'copy[category == \"a\"]'\nif: 'count(scroll, 2h) > 1 and device == \"mobile\"'"),
    ]
)
ONE, LIKE_ONE, OTHER = RULES_THAT_SHARE.by_id.values()


def wanted(*rules: CompiledRule, shared: SharedNeeds = RULES_THAT_SHARE.shared_needs) -> Wanted:
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
    kinds = RULES_THAT_SHARE.shared_needs.kinds
    assert kinds([ONE]) == kinds([LIKE_ONE]) < kinds([ONE, OTHER])
    assert not kinds([ONE]) & kinds([OTHER])


def test_what_was_forgotten_is_worked_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_needs, "MAX_REMEMBERED", 1)
    shared = SharedNeeds([ONE, OTHER])
    before = wanted(ONE, shared=shared)
    wanted(OTHER, shared=shared)
    assert wanted(ONE, shared=shared) == before
