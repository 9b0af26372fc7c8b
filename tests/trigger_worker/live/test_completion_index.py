"""Which last steps an event is tested against."""

from __future__ import annotations

from typing import Any

import pytest

from tests.trigger_worker.rules.evaluate.support import event, rule
from trigger_worker.live.completion_index import CompletionIndex
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.rules.evaluate.event import Event

RULES = LiveRules(
    [
        rule("id: tents\nwhen: 'view_item[category == \"tents\"]'"),
        rule("id: mugs\nwhen: 'view_item -> view_item[price > 3 and category == \"mugs\"]'"),
        rule('id: red_tents\nwhen: \'view_item[category == "tents" and props.colour.name == "red"]\''),
        rule("id: red\nwhen: 'any[props.colour.name == \"red\"]'"),
        rule("id: either\nwhen: 'view_item[category == \"tents\" or price > 3]'"),
        rule("id: others\nwhen: 'view_item[category != \"tents\"]'"),
        rule("id: five\nwhen: view_item[price == 5]"),
        rule("id: gone\nwhen: 'view_item[category == \"tents\"] -> no purchase within 15m'"),
        rule("id: whatever\nwhen: any"),
        rule("id: opened\nwhen: email_opened"),
    ]
)
INDEX = CompletionIndex(RULES.by_id.values())
TENTS = {"tents", "red_tents", "gone"}
UNINDEXED = {"either", "others", "five", "whatever"}


def likely(name: str, **fields: Any) -> set[str]:
    return {compiled.rule.id for one in INDEX.likely(event(name, **fields)) for compiled in one.rules}


def taking(made: Event) -> set[str]:
    return {compiled.rule.id for one in INDEX.likely(made) if one.is_by(made) for compiled in one.rules}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, UNINDEXED),
        ({"category": "tents"}, UNINDEXED | TENTS),
        ({"category": "mugs"}, UNINDEXED | {"mugs"}),
        ({"category": 5}, UNINDEXED),
        ({"category": ["tents"]}, UNINDEXED),
        ({"category": "lamps", "colour": {"name": "red"}}, UNINDEXED | {"red"}),
    ],
)
def test_an_event_meets_the_rules_that_its_texts_allow(fields: dict[str, Any], expected: set[str]) -> None:
    assert likely("view_item", **fields) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"whatever"}),
        ({"category": "tents"}, {"tents", "gone", "either", "whatever"}),
        ({"category": "tents", "colour": {"name": "red"}}, TENTS | {"red", "either", "whatever"}),
        ({"category": "mugs", "price": 5.0}, {"mugs", "either", "others", "five", "whatever"}),
        ({"category": "mugs", "price": 3.0}, {"others", "whatever"}),
    ],
)
def test_of_these_the_condition_decides(fields: dict[str, Any], expected: set[str]) -> None:
    assert taking(event("view_item", **fields)) == expected


@pytest.mark.parametrize(("name", "expected"), [("hover", {"whatever"}), ("email_opened", {"opened"})])
def test_an_event_meets_only_the_rules_of_its_name(name: str, expected: set[str]) -> None:
    assert likely(name) == expected


def test_rules_with_the_same_last_step_are_tested_once_unless_their_waits_differ() -> None:
    text = "when: view_item -> 'purchase[value > 3]'".replace("'", "")
    rules = LiveRules(
        [rule(f"id: one\n{text}"), rule(f"id: two\n{text}"), rule(f"id: waits\n{text} -> no any within 5m")]
    )
    found = CompletionIndex(rules.by_id.values()).likely(event("purchase"))
    assert {(one.wait_ms, frozenset(compiled.rule.id for compiled in one.rules)) for one in found} == {
        (0, frozenset({"one", "two"})),
        (300_000, frozenset({"waits"})),
    }
