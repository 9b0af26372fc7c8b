"""What the cart is worth at NOON."""

from __future__ import annotations

import pytest

from tests.trigger_worker.rules.evaluate.support import event, value_of
from trigger_worker.rules.evaluate.event import Event

CASES: list[tuple[str, list[Event], float, float]] = [
    ("an empty history", [], 0, 0),
    ("what was added", [event("add_to_cart", "-2m", value=20, quantity=2), event("add_to_cart", value=5)], 25, 3),
    ("less what was removed", [event("add_to_cart", "-2m", value=20), event("remove_from_cart", value=5)], 15, 0),
    ("never below nothing", [event("remove_from_cart", value=5)], 0, 0),
    ("a value that is not told", [event("add_to_cart")], 0, 1),
    ("values that are no numbers", [event("add_to_cart", value="20", quantity=True)], 0, 1),
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


@pytest.mark.parametrize(("events", "value", "items"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_cart_holds(events: list[Event], value: float, items: float) -> None:
    assert value_of("cart.value", events) == value
    assert value_of("cart.items", events) == items


def test_a_cart_beyond_all_numbers_is_missing() -> None:
    events = [event("add_to_cart", event_id=f"x{number}", value=1.7e308) for number in range(2)]
    assert value_of("cart.value", events) is None
    assert value_of("cart.items", events) == 2
