from __future__ import annotations

from pathlib import Path

import pytest

from trigger_worker.deciding.gate.policy_file import load_policy
from trigger_worker.delivery.content.templates import TemplateFolder
from trigger_worker.rules.evaluate.compiled_rule import compile_rule
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.history import History
from trigger_worker.rules.files.folder import RuleFolder, RuleSet

NOW = 1_795_348_800_000
SECOND = 1_000
LAMP = {"product_id": "lamp", "name": "Lamp", "price": 40.0, "quantity": 1, "value": 40.0}


@pytest.fixture(scope="module")
def rule_set(sample: Path) -> RuleSet:
    return RuleFolder(sample / "rules", sample / "audiences.yaml").refresh()


def test_the_five_rules_have_no_problem_and_say_what_they_are_for(rule_set: RuleSet) -> None:
    assert rule_set.problems == ()
    assert {rule.id for rule in rule_set.rules} == {
        *("hover_hesitation", "cart_abandoned", "search_unused", "exit_intent", "post_purchase_offer")
    }
    assert all(rule.describe and rule.goal for rule in rule_set.rules)
    assert rule_set.audiences.segments
    assert rule_set.audiences.stages
    assert rule_set.audiences.scores


def test_every_template_that_a_rule_names_is_there(sample: Path, rule_set: RuleSet) -> None:
    templates = TemplateFolder(sample / "templates")
    for message in (message for rule in rule_set.rules for message in rule.send):
        templates.check(message.channel, message.template)


def test_every_template_is_named_by_a_rule(sample: Path, rule_set: RuleSet) -> None:
    named = {message.template for rule in rule_set.rules for message in rule.send}
    assert {path.name.split(".")[0] for path in (sample / "templates").iterdir()} == named


def test_the_policy_restrains_but_does_not_silence_the_demo(sample: Path) -> None:
    policy = load_policy(sample / "policy.yaml")
    assert policy.caps
    assert policy.gap_ms
    assert policy.quiet == {}
    assert policy.holdout == 0


@pytest.mark.parametrize(
    ("rule_id", "events", "fires_after_s"),
    [
        ("hover_hesitation", [("hover", 0, {**LAMP, "duration_ms": 3000})], 0),
        ("hover_hesitation", [("hover", 0, {**LAMP, "duration_ms": 1000})], None),
        ("hover_hesitation", [("add_to_cart", -60, LAMP), ("hover", 0, {**LAMP, "duration_ms": 5000})], None),
        ("cart_abandoned", [("add_to_cart", 0, LAMP)], 60),
        ("cart_abandoned", [("add_to_cart", 0, LAMP), ("purchase", 30, {"value": 40.0})], None),
        ("cart_abandoned", [("add_to_cart", 0, LAMP), ("remove_from_cart", 30, LAMP)], None),
        ("search_unused", [("search", 0, {"search_term": "tent", "results": 3})], 20),
        ("search_unused", [("search", 0, {"search_term": "tent"}), ("view_item", 10, LAMP)], None),
        ("exit_intent", [("page_view", -5, {"page_type": "product"}), ("exit_intent", 0, {})], 0),
        ("exit_intent", [("page_view", -5, {"page_type": "home"}), ("exit_intent", 0, {})], None),
        (
            "exit_intent",
            [("add_to_cart", -9, LAMP), ("page_view", -5, {"page_type": "home"}), ("exit_intent", 0, {})],
            0,
        ),
        ("post_purchase_offer", [("purchase", 0, {"value": 40.0, "order_id": "1"})], 0),
        ("post_purchase_offer", [("begin_checkout", 0, {"value": 40.0})], None),
    ],
)
def test_a_rule_fires_when_it_says(
    rule_set: RuleSet, rule_id: str, events: list[tuple[str, int, dict[str, object]]], fires_after_s: int | None
) -> None:
    history = History(
        Event(name=name, ts=NOW + at_s * SECOND, event_id=str(number), fields=fields)
        for number, (name, at_s, fields) in enumerate(events)
    )
    rule = next(rule for rule in rule_set.rules if rule.id == rule_id)
    compiled = compile_rule(rule, rule_set.audiences)
    firings = compiled.firings(history, NOW, NOW + 90 * SECOND, {})
    assert [firing.at for firing in firings] == ([] if fires_after_s is None else [NOW + fires_after_s * SECOND])
