"""Which rules an event concerns."""

from __future__ import annotations

import pytest

from tests.trigger_worker.rules.evaluate.support import rule
from trigger_worker.live.live_rules import LiveRules

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
    assert {live.rule.id for live in RULES.completed_by(event)} == expected


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
    assert {live.rule.id for live in RULES.looking_at(event)} == expected


def test_what_completes_a_rule_at_once_is_looked_at_by_it() -> None:
    for event in ("hover", "search", "add_to_cart", "custom", "email_opened"):
        assert set(RULES.completed_by(event)) <= set(RULES.looking_at(event))


def test_rules_that_wait_equally_long_share_a_wait() -> None:
    assert [(wait.wait_ms, wait.names, {live.rule.id for live in wait.rules}) for wait in RULES.waits] == [
        (900_000, frozenset({"add_to_cart", "search"}), {"abandoned", "searched"}),
        (14 * 86_400_000, frozenset({"any"}), {"gone"}),
    ]


def test_no_rules_are_no_trouble() -> None:
    assert list(LiveRules().completed_by("hover")) == []
    assert LiveRules().waits == []
