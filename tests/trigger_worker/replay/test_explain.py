"""Why a visitor did or did not qualify."""

from __future__ import annotations

import msgspec
import pytest

from micromoment.terminal.explanation import explanation_text
from tests.trigger_worker.replays import firings, replay
from tests.trigger_worker.rules.evaluate.support import audiences, rule
from tests.trigger_worker.stored import NOON, event_row, fire, store, visitor
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.replay.explain import explain, find_site
from trigger_worker.replay.explanation import Explained
from trigger_worker.store.records import Records
from warehouse.connection import Warehouse
from warehouse.errors import ConfigurationError
from warehouse.event import format_instant

MINUTE = 60_000
AUDIENCES = 'segments:\n  keen: count(hover, 1h) >= 2 and device == "mobile"\n'
CART = (
    "id: cart\nwhen: add_to_cart -> no purchase within 15m\nif: cart.value >= 50 and count(hover, 1h) == 0\nevery: 1h"
)


def explained(warehouse: Warehouse, text: str, at: int = NOON, who: str = "anna") -> Explained:
    known = audiences(AUDIENCES)
    (compiled,) = LiveRules([rule(text, known)], known).by_id.values()
    return explain(warehouse, compiled, known, visitor(who), at)


def failed(told: Explained) -> tuple[object, ...] | None:
    if told.failed is None:
        return None
    because = {term.text: term.value for term in told.failed.because}
    return told.failed.where, told.failed.text, told.failed.value, because


def test_a_visitor_of_whom_all_is_true_qualifies(warehouse: Warehouse) -> None:
    store(warehouse, event_row("add_to_cart", at=NOON - 20 * MINUTE, value=60))
    told = explained(warehouse, CART)
    assert (told.outcome, failed(told)) == ("qualifies", None)
    assert told.at == format_instant(NOON - 5 * MINUTE)
    assert [(step.text, step.met, step.until) for step in told.when] == [
        ("add_to_cart", True, None),
        ("no purchase within 15m", True, told.at),
    ]
    assert told.condition is not None
    assert [(part.text, part.value) for part in told.condition.parts] == [
        ("cart.value >= 50", True),
        ("count(hover, 1h) == 0", True),
    ]


def test_a_paused_rule_says_so(embedded_warehouse: Warehouse) -> None:
    store(embedded_warehouse, event_row("add_to_cart", at=NOON - 20 * MINUTE, value=60))
    told = explained(embedded_warehouse, f"{CART}\npaused: true")
    assert (told.outcome, told.paused) == ("qualifies", True)
    assert "\npaused: the rule fires for nobody until `paused` is false\n" in explanation_text(told)


def test_a_stored_firing_is_told(warehouse: Warehouse) -> None:
    store(warehouse, event_row("add_to_cart", at=NOON - 20 * MINUTE, value=60))
    Records(warehouse).store_fires([fire(rule="cart", at=NOON - 5 * MINUTE)], NOON)
    assert explained(warehouse, CART).outcome == "fired"


def test_the_first_condition_that_failed_is_named_with_its_values(warehouse: Warehouse) -> None:
    store(warehouse, event_row("hover", at=NOON - MINUTE), event_row("add_to_cart", at=NOON - 20 * MINUTE, value=12))
    told = explained(warehouse, CART)
    assert told.outcome == "fails"
    assert failed(told) == ("if", "cart.value >= 50", False, {"cart.value": 12.0})


def test_conditions_are_told_as_of_the_match(warehouse: Warehouse) -> None:
    store(warehouse, event_row("hover", at=NOON - MINUTE), event_row("add_to_cart", at=NOON - 20 * MINUTE, value=60))
    assert explained(warehouse, CART).outcome == "qualifies"


def test_a_segment_is_looked_into(warehouse: Warehouse) -> None:
    store(warehouse, event_row("hover", device="desktop"), event_row("hover", device="desktop"))
    told = explained(warehouse, 'when: hover\nif: segment("keen") and true')
    assert failed(told) == ("if", 'device == "mobile"', False, {"device": "desktop"})


def test_a_disjunction_fails_with_all_of_its_values(warehouse: Warehouse) -> None:
    store(warehouse, event_row("hover"))
    told = explained(warehouse, "when: hover\nif: count(click, 1h) > 1 or since(copy) < 1h")
    assert failed(told) == (
        "if",
        "count(click, 1h) > 1 or since(copy) < 1h",
        False,
        {"count(click, 1h)": 0.0, "since(copy)": None},
    )


@pytest.mark.parametrize(
    ("happened", "expected"),
    [
        ({}, ("when", "add_to_cart", None, {})),
        ({"add_to_cart": 20, "purchase": 10}, ("when", "no purchase within 15m", "purchase", {})),
    ],
)
def test_the_step_that_was_not_met_is_named(
    warehouse: Warehouse, happened: dict[str, int], expected: tuple[object, ...]
) -> None:
    store(warehouse, event_row("scroll"), *(event_row(name, at=NOON - ago * MINUTE) for name, ago in happened.items()))
    told = explained(warehouse, CART)
    assert (told.outcome, failed(told)) == ("fails", expected)


def test_a_wait_that_is_not_over_waits(warehouse: Warehouse) -> None:
    store(warehouse, event_row("add_to_cart", at=NOON - 10 * MINUTE, value=60))
    told = explained(warehouse, CART)
    assert told.outcome == "waits"
    assert failed(told) == ("when", "no purchase within 15m", None, {})
    assert told.when[-1].until == format_instant(NOON + 5 * MINUTE)


def test_what_came_later_than_the_instant_is_not_looked_at(warehouse: Warehouse) -> None:
    store(warehouse, event_row("hover", at=NOON), event_row("hover", at=NOON + 1))
    told = explained(warehouse, "when: hover")
    assert told.at == format_instant(NOON)


def test_every_names_the_stored_firing_that_is_too_close(warehouse: Warehouse) -> None:
    store(warehouse, event_row("hover", at=NOON - 30 * MINUTE), event_row("hover", at=NOON))
    Records(warehouse).store_fires([fire(rule="r", at=NOON - 30 * MINUTE)], NOON)
    told = explained(warehouse, "when: hover\nevery: 1h")
    last = format_instant(NOON - 30 * MINUTE)
    assert failed(told) == ("every", "1h", last, {})
    assert told.every.source == "stored"


@pytest.mark.parametrize("after", [0, 10, 20, 30, 40])
def test_history_that_no_worker_saw_is_explained_as_it_is_replayed(warehouse: Warehouse, after: int) -> None:
    store(warehouse, *(event_row("hover", at=NOON + minute * MINUTE, source="import") for minute in range(0, 50, 10)))
    text = "when: hover\nevery: 20m"
    fired = {firing.at for firing in firings(replay(warehouse, text))}
    told = explained(warehouse, text, NOON + after * MINUTE)
    assert (told.outcome == "qualifies") is (NOON + after * MINUTE in fired)
    assert told.every.source == "replayed"


def test_any_id_of_a_person_leads_to_all_of_their_events(warehouse: Warehouse) -> None:
    store(warehouse, event_row("identify", "phone", user="u"), event_row("hover", "u"))
    told = explained(warehouse, "when: hover", who="phone")
    assert (told.visitor_id, told.outcome) == ("u", "qualifies")


def test_it_is_json(warehouse: Warehouse) -> None:
    store(warehouse, event_row("hover", event_id="e"))
    made = msgspec.json.decode(msgspec.json.encode(explained(warehouse, "when: hover\nif: since(hover) < 1h")))
    assert made["if"]["value"] is True
    assert made["if"]["parts"] == [{"text": "since(hover)", "value": 0.0, "unit": "ms", "parts": []}]
    assert made["when"][0]["event"] == {"event": "hover", "event_id": "e", "at": format_instant(NOON)}


def test_the_site_is_found_by_any_id(warehouse: Warehouse) -> None:
    store(warehouse, event_row("hover", "phone", user="u"), event_row("hover", "bob"))
    assert [find_site(warehouse, name) for name in ("phone", "u", "bob")] == ["shop"] * 3


def test_a_visitor_whom_none_or_several_sites_know_is_told(warehouse: Warehouse) -> None:
    store(warehouse, event_row("hover"), event_row("hover", site="other"))
    with pytest.raises(ConfigurationError, match="known on other, shop"):
        find_site(warehouse, "anna")
    with pytest.raises(ConfigurationError, match="no event of the visitor 'nobody' is stored"):
        find_site(warehouse, "nobody")


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("when: add_to_cart", "add_to_cart"),
        ("when: hover -> add_to_cart", "add_to_cart"),
        ("when: add_to_cart -> no purchase within 15m", "add_to_cart"),
        ("when: hover -> add_to_cart -> no purchase within 1m\nkey: product_id", "add_to_cart"),
    ],
)
def test_an_event_of_unknown_time_is_told_to_complete_nothing(warehouse: Warehouse, text: str, step: str) -> None:
    hovered = event_row("hover", at=NOON - 30 * MINUTE, product_id="p1")
    store(warehouse, hovered, {**event_row("add_to_cart", at=NOON - 20 * MINUTE, product_id="p1"), "untimed": 1})
    told = explained(warehouse, text)
    assert (told.outcome, failed(told)) == ("fails", ("when", step, "add_to_cart", {}))
    came = format_instant(NOON - 20 * MINUTE)
    because = f"add_to_cart: add_to_cart at {came} completes nothing, as it is not known when it happened\n"
    assert because in explanation_text(told)


def test_a_completion_of_known_time_is_explained_though_one_of_unknown_time_came_later(warehouse: Warehouse) -> None:
    store(
        warehouse,
        event_row("add_to_cart", at=NOON - 20 * MINUTE, value=60),
        {**event_row("add_to_cart", at=NOON - 10 * MINUTE, value=60), "untimed": 1},
    )
    told = explained(warehouse, CART)
    assert (told.outcome, told.at) == ("qualifies", format_instant(NOON - 5 * MINUTE))
