from __future__ import annotations

from typing import Any

import pytest

from tests.collector.messages import kept, message, props
from warehouse.limits import MAX_ITEMS

TENT = {"product_id": "tent-2", "name": "Dome tent", "category": "Tents", "price": 249.5, "quantity": 2}
PRODUCT = ("product_id", "name", "category", "price", "quantity")


def product(**fields: Any) -> dict[str, Any]:
    """What the row of an event with these properties says of its product."""
    row = kept(message(properties=fields))
    return {name: getattr(row, name) for name in PRODUCT}


@pytest.mark.parametrize(
    "properties",
    [
        pytest.param(TENT, id="ours"),
        pytest.param({"items": [TENT]}, id="ours, in a list"),
        pytest.param(
            {
                "currency": "EUR",
                "items": [
                    {
                        "item_id": "tent-2",
                        "item_name": "Dome tent",
                        "item_category": "Tents",
                        "price": 249.5,
                        "quantity": 2,
                    }
                ],
            },
            id="GA4",
        ),
        pytest.param(
            {"sku": "tent-2", "name": "Dome tent", "category": "Tents", "price": "249.50", "quantity": "2"},
            id="Segment",
        ),
        pytest.param({"products": [{**TENT, "image_url": "https://shop.example/tent.jpg"}]}, id="Segment, in a list"),
    ],
)
def test_one_product_is_the_same_in_every_spelling(properties: dict[str, Any]) -> None:
    assert product(**properties) == TENT


@pytest.mark.parametrize(
    "properties",
    [
        pytest.param({"order_id": "o-7", "value": 99.9, "coupon": "HELLO"}, id="ours"),
        pytest.param({"transaction_id": "o-7", "value": 99.9, "coupon": "HELLO"}, id="GA4"),
        pytest.param({"order_id": "o-7", "total": "99.90", "coupon": "HELLO"}, id="Segment"),
    ],
)
def test_an_order_is_the_same_in_every_spelling(properties: dict[str, Any]) -> None:
    row = kept(message(event="Order Completed", properties=properties))
    assert (row.event, row.order_id, row.value, row.coupon) == ("purchase", "o-7", 99.9, "HELLO")


@pytest.mark.parametrize("name", ["query", "search_term"])
def test_a_search_is_the_same_in_every_spelling(name: str) -> None:
    assert kept(message(event="Products Searched", properties={name: "tent"})).search_term == "tent"


def test_our_own_word_wins_over_another_spelling() -> None:
    row = kept(message(properties={"product_id": "ours", "sku": "theirs", "item_id": "theirs too"}))
    assert row.product_id == "ours"
    assert props(row) == {"sku": "theirs", "item_id": "theirs too"}


def test_the_event_wins_over_its_only_item() -> None:
    assert product(price=1, items=[TENT]) == {**TENT, "price": 1}


def test_several_items_say_nothing_of_the_event_itself() -> None:
    row = kept(message(event="view_cart", properties={"items": [TENT, {**TENT, "product_id": "stove"}]}))
    assert (row.product_id, row.price) == ("", None)
    assert [item["product_id"] for item in props(row)["items"]] == ["tent-2", "stove"]


def test_items_keep_what_they_say_besides() -> None:
    row = kept(
        message(properties={"items": [{"item_id": "tent-2", "image_url": "https://s.example/t.jpg", "size": 2}]})
    )
    assert props(row)["items"] == [{"product_id": "tent-2", "image": "https://s.example/t.jpg", "size": 2}]


def test_items_are_bounded_and_what_is_no_item_is_left_out() -> None:
    row = kept(message(properties={"items": ["tent", None, *({"item_id": str(n)} for n in range(MAX_ITEMS + 50))]}))
    assert len(props(row)["items"]) == MAX_ITEMS - 2


@pytest.mark.parametrize("items", ["tent", 3, {"item_id": "tent"}, True])
def test_items_that_are_no_list_stay_as_they_came(items: object) -> None:
    assert props(kept(message(properties={"items": items})))["items"] == items


@pytest.mark.parametrize(
    ("properties", "value"),
    [
        ({"value": 5, "total": 9}, 5.0),
        ({"revenue": 12}, 12.0),
        ({"subtotal": 8}, 8.0),
        ({"total": 10, "revenue": 12, "subtotal": 8}, 10.0),
        ({"price": 3, "quantity": 4}, 12.0),
        ({"price": 3}, 3.0),
        ({"price": "free"}, None),
        ({}, None),
    ],
)
def test_the_value_of_segments_events_is_what_its_specification_implies(
    properties: dict[str, Any], value: float | None
) -> None:
    assert kept(message(event="Product Added", properties=properties)).value == value


def test_the_value_of_our_own_events_is_never_guessed() -> None:
    assert kept(message(event="add_to_cart", properties={"price": 3, "quantity": 4})).value is None
