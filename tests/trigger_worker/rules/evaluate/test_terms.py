"""What each term of `if` comes to at NOON, with the boundaries of its window."""

from __future__ import annotations

import pytest

from tests.trigger_worker.rules.evaluate.support import event, value_of
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.value import Value

BUYS = [
    event("purchase", "-1h", value=10, currency="EUR", wait=3000),
    event("purchase", "-30m", value=20, currency="EUR"),
    event("purchase", "-10m", value="20", currency="USD"),
    event("purchase", "-5m"),
]
MIXED = [event("a", "-4m", k=1), event("a", "-3m", k=True), event("a", "-2m", k="1"), event("a", "-1m", k=1.0)]

CASES: list[tuple[str, list[Event], Value]] = [
    ("count(purchase, 1h)", BUYS, 3.0),
    ("count(purchase, 3600001ms)", BUYS, 4.0),
    ("count(purchase, 5m)", BUYS, 0.0),
    ("count(purchase, 1m)", [event("purchase")], 1.0),
    ("count(purchase, 1m)", [event("purchase", "1ms")], 0.0),
    ('count(purchase[currency == "EUR"], 1d)', BUYS, 2.0),
    ("count((purchase or a), 1d)", [*BUYS, *MIXED], 8.0),
    ("count(any, 1d)", [event("a", "-1m"), event("message_sent", "-1m")], 1.0),
    ("count(purchase, 1d)", [event("purchase", event_id="x"), event("purchase", event_id="x")], 1.0),
    ("sum(purchase.value, 1d)", BUYS, 30.0),
    ("sum(purchase.value, 5m)", BUYS, 0.0),
    ("sum(a.price, 1d)", [event("a", f"-{n}m", price=0.1) for n in range(1, 11)], 1.0),
    ("sum(a.price, 1d)", [event("a", price=1e308), event("a", price=1e308)], None),
    ("sum(a.price, 1d)", [event("a", price=10**400)], 0.0),
    ("avg(purchase.value, 1d)", BUYS, 15.0),
    ("avg(purchase.value, 5m)", BUYS, None),
    ("min(purchase.value, 1d)", BUYS, 10.0),
    ("max(purchase.value, 1d)", BUYS, 20.0),
    ("min(purchase.value, 5m)", BUYS, None),
    ("max(purchase.value, 5m)", BUYS, None),
    ("min(3, 2)", [], 2.0),
    ("max(3, 2)", [], 3.0),
    ("min(3, last(a.price))", [], None),
    ("uniq(purchase.currency, 1d)", BUYS, 2.0),
    ("uniq(purchase.currency, 1m)", BUYS, 0.0),
    ("uniq(a.k, 1d)", MIXED, 3.0),
    ("uniq(a.k, 1d)", [event("a", k=["list"]), event("a", k={"an": "object"})], 0.0),
    ("last(purchase.currency)", BUYS[:3], "USD"),
    ("last(purchase.currency)", BUYS, None),
    ("first(purchase.currency)", BUYS, "EUR"),
    ("last(purchase.currency)", [], None),
    ('last(purchase[currency == "EUR"].value)', BUYS, 20.0),
    ("last(purchase.currency)", [event("purchase", "-30d", currency="EUR")], None),
    ("last(purchase.currency)", [event("purchase", "-2591999999ms", currency="EUR")], "EUR"),
    ("first(a.props.k)", MIXED, 1.0),
    ("last(dwell.duration)", [event("dwell", duration_ms=3000)], 3000.0),
    ("since(purchase)", BUYS, 300_000.0),
    ("since(purchase)", [event("purchase")], 0.0),
    ("since(purchase)", [], None),
    ("since(purchase)", [event("purchase", "-34559999999ms")], 34_559_999_999.0),
    ("since(purchase)", [event("purchase", "-400d")], None),
    ("since(purchase[value > 5])", [event("purchase", "-2591999999ms", value=6)], 2_591_999_999.0),
    ("since(purchase[value > 5])", [event("purchase", "-30d", value=6)], None),
    ("device", [event("a", "-2m", device="mobile"), event("a", "-1m"), event("a", "-1m", device="")], "mobile"),
    ("device", [event("a", "-2m", device="mobile"), event("a", "-1m", device="desktop")], "desktop"),
    ("device", [event("a", "1m", device="mobile")], None),
    (
        "traits.plan",
        [event("identify", "-2m", traits={"plan": "free"}), event("identify", traits={"plan": "pro"})],
        "pro",
    ),
    ("traits.plan", [event("identify", "-2m", traits={"plan": "free"}), event("identify", traits={"age": 3})], "free"),
    (
        "traits.plan",
        [event("identify", "-2m", traits={"plan": "free"}), event("identify", traits={"plan": None})],
        None,
    ),
    ("traits.address.city", [event("identify", traits={"address": {"city": "Ulm"}})], "Ulm"),
    ("traits.plan.x", [event("identify", traits={"plan": "free"})], None),
    ("traits.plan", [event("a", traits={"plan": "free"})], None),
    ("traits.plan", [event("identify", traits="free")], None),
]


@pytest.mark.parametrize(("expression", "events", "expected"), CASES)
def test_a_term_comes_to(expression: str, events: list[Event], expected: Value) -> None:
    assert value_of(expression, reversed(events)) == expected


def test_facts_of_messages_are_false_until_told() -> None:
    assert value_of("opened(email)", []) is False
    assert value_of("opened(email) and goal_reached", [], facts={"opened(email)": True, "goal_reached": True}) is True
