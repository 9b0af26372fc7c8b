"""Which rules an event concerns."""

from __future__ import annotations

import pytest

from tests.trigger_worker.rules.evaluate.support import rule
from trigger_worker.deciding.recipient.profile import PROFILE_WANTED
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.people.reading import FACTS_MS, Scope
from trigger_worker.store.windows import combine

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


def scope_of(*texts: str) -> Scope:
    return LiveRules([rule(text) for text in texts]).scope


SCOPED = (
    "id: one\nwhen: 'hover[price > 1]'\nif: count(scroll, 1h) > 1",
    "id: other\nwhen: 'copy[category == \"a\"]'\nif: 'count(scroll, 2h) > 1 and device == \"mobile\"'",
    "id: sends\nwhen: click\nsend:\n  - banner: hello\n    if: count(search[results == 0], 3d) > 0",
    "id: wins\nwhen: select_item\nevery: 300d\ngoal: 'purchase[coupon == \"x\"] within 3d'",
    "id: tries\nwhen: dwell\nexperiment:\n  arms: {plain: 50, coupon: 50}",
)


def test_the_scope_covers_what_every_rule_its_messages_its_goal_the_gate_and_templates_look_at() -> None:
    rules = LiveRules([rule(text) for text in SCOPED])
    needs = [
        need for each in rules.by_id.values() for need in (each.needs, each.sending_needs, *each.goal_needs(FACTS_MS))
    ]
    assert len(needs) > 2 * len(SCOPED), "none has a goal"
    for need in needs:
        assert rules.scope.wanted.covers(combine([need]))
    assert rules.scope.wanted.covers(PROFILE_WANTED)


def test_the_scope_names_events_windows_fields_and_surroundings_of_all_rules() -> None:
    wanted = scope_of(*SCOPED).wanted
    assert wanted.lookback_ms["scroll"] == 7_200_000
    assert wanted.lookback_ms["search"] >= 3 * 86_400_000
    assert {"hover", "copy", "click", "select_item", "dwell", "purchase"} <= wanted.lookback_ms.keys()
    assert wanted.fields is not None
    assert {"price", "category", "results", "coupon"} <= wanted.fields
    assert "device" in wanted.contexts


def test_without_rules_the_scope_is_what_the_gate_and_templates_look_at() -> None:
    assert scope_of() == Scope(PROFILE_WANTED, FACTS_MS, frozenset())


def test_the_scope_goes_back_as_far_as_the_longest_distance_between_firings() -> None:
    assert scope_of(*SCOPED).facts_ms >= 300 * 86_400_000
    assert scope_of(SCOPED[0], SCOPED[3].replace("300d", "400d")).facts_ms >= 400 * 86_400_000


def test_the_scope_names_the_rules_that_experiment() -> None:
    assert scope_of(*SCOPED).experiments == frozenset({"tries"})


def test_a_scope_covers_that_of_fewer_rules_and_not_that_of_more() -> None:
    assert scope_of(*SCOPED).covers(scope_of(*SCOPED[:2]))
    for more in SCOPED[1:]:
        assert not scope_of(SCOPED[0]).covers(scope_of(SCOPED[0], more))
