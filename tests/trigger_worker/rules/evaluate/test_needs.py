"""What of a history a rule has to see."""

from __future__ import annotations

import pytest

from tests.trigger_worker.rules.evaluate.support import audiences, ms, rule
from trigger_worker.rules.evaluate.needs import needs, sending_needs
from trigger_worker.rules.model import NO_AUDIENCES

AUDIENCES = audiences(
    """
segments:
  busy: count(click, 7d) > 3
  keen: segment("busy") and stage == "new"
stages:
  new: since(sign_up) < 7d
scores:
  heat: count(view_item, 3d)
"""
)


@pytest.mark.parametrize(
    ("text", "lookback"),
    [
        ("when: view_item", {"view_item": "0s"}),
        ("when: view_item -> no purchase within 1h", {"view_item": "1h", "purchase": "1h"}),
        (
            "when: view_item -> add_to_cart within 2m -> no purchase within 24h",
            {"view_item": "86520s", "add_to_cart": "24h", "purchase": "24h"},
        ),
        ("when: view_item -> search", {"view_item": "30d", "search": "0s"}),
        ("when: any -> no any within 14d", {"any": "14d"}),
        ("when: search\nif: count(view_item, 3d) > 1", {"search": "0s", "view_item": "3d"}),
        ("when: search\nif: count(search, 3d) > 1", {"search": "3d"}),
        ("when: search\nif: since(purchase) > 3d", {"search": "0s", "purchase": "400d"}),
        ("when: search\nif: since(purchase[value > 5]) > 3d", {"search": "0s", "purchase": "30d"}),
        ("when: search\nif: last(view_item.price) > 3", {"search": "0s", "view_item": "30d"}),
        (
            "when: search\nif: cart.value > 3",
            {"search": "0s", "add_to_cart": "30d", "remove_from_cart": "30d", "purchase": "30d"},
        ),
        ("when: search\nif: traits.plan == 'pro'", {"search": "0s", "identify": "400d"}),
        ("when: search\nif: segment('keen')", {"search": "0s", "click": "7d", "sign_up": "400d"}),
        ("when: search\nif: score('heat') > 1", {"search": "0s", "view_item": "3d"}),
    ],
)
def test_a_rule_looks_back(text: str, lookback: dict[str, str]) -> None:
    needed = needs(rule(text, AUDIENCES), AUDIENCES)
    assert needed.lookback_ms == {name: ms(each) for name, each in lookback.items()}
    assert needed.names == frozenset(lookback)


@pytest.mark.parametrize(
    ("text", "fields", "contexts"),
    [
        ("when: search[results == 0 and props.a.b > 1]", {"results", "a"}, set()),
        ("when: dwell[duration > 3s]", {"duration_ms"}, set()),
        ("when: search\nkey: product_id", {"product_id", "items"}, set()),
        ("when: search\nkey: message_id", {"message_id"}, set()),
        ("when: search\nif: cart.items > 1 and traits.x == 1", {"quantity", "items", "traits", "traits_once"}, set()),
        ("when: search\nif: uniq(view_item[price > 1].category, 1d) > 1", {"price", "category"}, set()),
        ("when: search\nif: device == 'mobile' and local_hour < 9", set(), {"device", "timezone"}),
    ],
)
def test_a_rule_looks_at_fields_and_contexts(text: str, fields: set[str], contexts: set[str]) -> None:
    needed = needs(rule(text), NO_AUDIENCES)
    assert needed.fields == fields
    assert needed.contexts == contexts


def test_a_match_comes_with_the_last_step_or_after_the_wait() -> None:
    needed = needs(rule("when: view_item -> (search or any_own) -> no purchase within 1h"), NO_AUDIENCES)
    assert needed.trigger_names == {"search", "any_own"}
    assert needed.wait_ms == ms("1h")


def test_sending_needs_what_its_conditions_ask() -> None:
    text = "when: search\nsend:\n  - email: x\n    if: country == 'DE'\n    unless: count(purchase, 2d) > 0"
    needed = sending_needs(rule(text), NO_AUDIENCES)
    assert needed.lookback_ms == {"purchase": ms("2d")}
    assert needed.contexts == {"country"}


def test_the_fields_of_each_step_and_of_the_condition_are_looked_at() -> None:
    last = 'hover[duration > 3s and props.colour == "red"]'
    text = f"when: 'view_item[price > 3] -> {last} -> no copy[path == \"/\"] within 1m'"
    found = needs(rule(text + "\nif: count(search[results == 0], 1h) == 0"), NO_AUDIENCES)
    assert found.fields >= {"duration_ms", "colour", "price", "path", "results"}
