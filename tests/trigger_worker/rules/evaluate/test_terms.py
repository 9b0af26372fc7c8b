"""What each term of `if` comes to at NOON, with the boundaries of its window."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trigger_worker.rules.evaluate.support import event, value_of
from trigger_worker.rules.evaluate.cart import Held
from trigger_worker.rules.evaluate.event import Event, Value

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


TENTS = [event("add_to_cart", "-5m", product_id="tent", price=60, quantity=2)]
CART_CASES: list[tuple[str, list[Event], float, float]] = [
    ("an empty history", [], 0, 0),
    ("what was added", [event("add_to_cart", "-2m", value=20, quantity=2), event("add_to_cart", value=5)], 25, 3),
    ("less what was removed", [event("add_to_cart", "-2m", value=20), event("remove_from_cart", value=5)], 15, 0),
    ("never below nothing", [event("remove_from_cart", value=5)], 0, 0),
    ("a value that is not told", [event("add_to_cart")], 0, 1),
    ("values that are no numbers", [event("add_to_cart", value="a lot", quantity=True)], 0, 1),
    ("values that are written", [event("add_to_cart", value="20.00 EUR", quantity="2")], 20, 2),
    ("price times quantity", [event("add_to_cart", price=60, quantity=2)], 120, 2),
    ("one, where the quantity is not told", [event("add_to_cart", price="60.00")], 60, 1),
    ("nothing for a price of nothing", [event("add_to_cart", price=0, quantity=3)], 0, 3),
    ("nothing for a quantity of nothing", [event("add_to_cart", price=60, quantity=0)], 0, 0),
    ("the value rather than the price", [event("add_to_cart", price=60, value=50)], 50, 1),
    (
        "the sum of items",
        [event("add_to_cart", items=[{"price": "60", "quantity": "2"}, {"price": 5}, {"price": "?"}])],
        125,
        4,
    ),
    ("less than nothing as a removal", [*TENTS, event("add_to_cart", price=60, quantity=-1)], 60, 1),
    ("a removal of minus one as of one", [*TENTS, event("remove_from_cart", price=60, quantity=-1)], 60, 1),
    ("a removal without a price", [*TENTS, event("remove_from_cart", product_id="tent")], 60, 1),
    ("a removal of another product without a price", [*TENTS, event("remove_from_cart", product_id="mug")], 120, 1),
    (
        "what was added after more was removed than there was",
        [event("remove_from_cart", "-2m", value=50), event("add_to_cart", "-1m", value=20)],
        20,
        1,
    ),
    (
        "since the latest purchase",
        [event("add_to_cart", "-3m", value=20), event("purchase", "-2m"), event("add_to_cart", "-1m", value=5)],
        5,
        1,
    ),
    (
        "a purchase at the same instant, by order",
        [event("add_to_cart", event_id="x1", value=20), event("purchase", event_id="x2")],
        0,
        0,
    ),
    ("no longer ago than 30 days", [event("add_to_cart", "-30d", value=20)], 0, 0),
    ("just within 30 days", [event("add_to_cart", "-2591999999ms", value=20)], 20, 1),
    ("nothing of the future", [event("add_to_cart", "1ms", value=20)], 0, 0),
]


@pytest.mark.parametrize(
    ("events", "value", "items"), [case[1:] for case in CART_CASES], ids=[case[0] for case in CART_CASES]
)
def test_the_cart_holds(events: list[Event], value: float, items: float) -> None:
    assert value_of("cart.value", events) == value
    assert value_of("cart.items", events) == items


@given(st.lists(st.tuples(st.sampled_from([1, -1]), st.integers(0, 9) | st.floats(0, 1e6)), max_size=200), st.data())
def test_a_cart_that_slides_holds_what_one_does_that_is_worked_out_anew(
    changes: list[tuple[int, float]], data: st.DataObject
) -> None:
    amounts: list[Value] = [float(sign * amount) for sign, amount in changes]
    sliding = Held(amounts)
    spans = data.draw(st.lists(st.tuples(st.integers(0, len(amounts)), st.integers(0, len(amounts))), max_size=8))
    for first, end in sorted((min(span), max(span)) for span in spans):
        assert sliding.of(first, end) == Held(amounts).whole(amounts[first:end])


def test_a_cart_beyond_all_numbers_is_missing() -> None:
    events = [event("add_to_cart", event_id=f"x{number}", value=1.7e308) for number in range(2)]
    assert value_of("cart.value", events) is None
    assert value_of("cart.items", events) == 2
