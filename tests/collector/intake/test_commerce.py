from __future__ import annotations

from typing import Any

import msgspec
import pytest

from collector.intake.draft import WarningReason
from collector.intake.pipeline import run
from tests.collector.messages import RECEIPT, SHOP, kept, message, props
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
        *(
            pytest.param({name: "o-7", "revenue": 99.9, "coupon": "HELLO"}, id=name)
            for name in ("orderId", "orderID", "transactionId", "order_number", "orderNumber")
        ),
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


VALUES: list[tuple[str, dict[str, Any], float | None]] = [
    ("price times quantity", {"price": 3, "quantity": 4}, 12.0),
    ("one, where the quantity is not told", {"price": 3}, 3.0),
    ("text", {"price": "60.00", "quantity": "2"}, 120.0),
    ("a given value", {"price": 3, "quantity": 4, "value": "9,50"}, 9.5),
    ("a given value of nothing", {"price": 3, "value": 0}, 0.0),
    ("an empty value is none", {"price": 3, "value": ""}, 3.0),
    ("the sum of items", {"items": [{"price": 3, "quantity": "2"}, {"price": "4"}]}, 10.0),
    ("the sum of items rather than the event's price", {"price": 1, "items": [{"price": 3}, {"price": 4}]}, 7.0),
    ("items without a price", {"items": [{"item_id": "a"}, {"item_id": "b"}]}, None),
    ("items that are no list", {"items": "tent", "price": 3}, 3.0),
    ("an empty list", {"items": [], "price": 3}, 3.0),
    ("a price of nothing", {"price": 0, "quantity": 3}, 0.0),
    ("a quantity of nothing", {"price": 3, "quantity": 0}, 0.0),
    ("less than nothing", {"price": 3, "quantity": -1}, -3.0),
    ("an amount of a currency", {"price": {"amount": "60.00", "currencyCode": "EUR"}}, 60.0),
    ("no price", {"quantity": 2}, None),
    ("a price that cannot be read", {"price": "free"}, None),
    ("a value that cannot be read", {"value": "1,299", "price": 3}, 3.0),
    ("too large for any use", {"price": 1e308, "quantity": 1e308}, None),
]


@pytest.mark.parametrize(("properties", "value"), [case[1:] for case in VALUES], ids=[case[0] for case in VALUES])
@pytest.mark.parametrize("event", ["add_to_cart", "Product Added", "view_cart", "begin_checkout"])
def test_an_event_is_worth_its_value_or_its_products(
    event: str, properties: dict[str, Any], value: float | None
) -> None:
    assert kept(message(event=event, properties=properties)).value == value


@pytest.mark.parametrize("event", ["search", "view_item_list", "select_item", "Quiz Done", "hover", "page_view"])
def test_other_events_are_worth_nothing_that_is_not_told(event: str) -> None:
    assert kept(message(event=event, properties={"price": 3, "quantity": 4})).value is None


@pytest.mark.parametrize("quantity", [1, -1, "1", "-1"])
def test_what_is_removed_is_told_by_how_much_it_was(quantity: object) -> None:
    for content in (
        {"price": 60, "quantity": quantity},
        {"items": [{"item_id": "a", "price": 60, "quantity": quantity}]},
    ):
        row = kept(message(event="remove_from_cart", properties=content))
        assert (row.value, row.quantity) == (60, 1)


def test_a_cart_event_of_several_products_has_the_pieces_of_all() -> None:
    items = [{"item_id": "a", "quantity": "2"}, {"item_id": "b"}]
    assert kept(message(event="add_to_cart", properties={"items": items})).quantity == 3
    assert kept(message(event="purchase", properties={"items": items})).quantity is None


UNREADABLE = [
    ({"price": "free"}, "price"),
    ({"price": "1,299"}, "price"),
    ({"quantity": "some", "price": 3}, "quantity"),
    ({"value": "1.2.3"}, "value"),
    ({"price": True}, "price"),
    ({"price": [3]}, "price"),
    ({"items": [{"price": 60}, {"price": "ask us"}]}, "items.price"),
    ({"items": [{"price": 60, "quantity": "two"}]}, "items.quantity"),
]


@pytest.mark.parametrize(("properties", "places"), UNREADABLE)
def test_a_number_that_cannot_be_read_is_told_by_its_place(properties: dict[str, Any], places: str) -> None:
    raw = msgspec.Raw(msgspec.json.encode(message(event="add_to_cart", properties=properties)))
    (warning,) = run([raw], SHOP, RECEIPT, {}).warnings
    assert warning.reason is WarningReason.NUMBER_UNREADABLE
    assert warning.detail.startswith(f"counted as missing: {places}:")


def test_an_ordinary_event_is_not_warned_of() -> None:
    raw = msgspec.Raw(
        msgspec.json.encode(message(event="add_to_cart", properties={**TENT, "price": "249.50", "value": ""}))
    )
    assert run([raw], SHOP, RECEIPT, {}).warnings == []


ORDER_OF_TWO = {
    "items": [{"product_id": "a", "price": 10.0}, {"product_id": "b", "price": 5, "quantity": 2.0}],
    "value": 20.0,
}


@pytest.mark.parametrize(
    "ecommerce",
    [
        {
            "transaction_id": "o-7",
            "currency": "EUR",
            "items": [{"item_id": "a", "price": "10"}, {"id": "b", "price": 5, "quantity": "2"}],
        },
        {
            "currencyCode": "EUR",
            "purchase": {
                "actionField": {"id": "o-7", "revenue": "20.00"},
                "products": [{"id": "a", "price": "10"}, {"id": "b", "price": 5, "quantity": "2"}],
            },
        },
    ],
)
def test_what_lies_in_ecommerce_is_the_events_own(ecommerce: dict[str, Any]) -> None:
    row = kept(message(event="purchase", properties={"ecommerce": ecommerce, "coupon": "HELLO"}))
    assert (row.event, row.order_id, row.value, row.currency, row.coupon) == ("purchase", "o-7", 20, "EUR", "HELLO")
    assert props(row)["items"] == ORDER_OF_TWO["items"]


@pytest.mark.parametrize(
    ("event", "part", "ours"),
    [
        ("addToCart", "add", "add_to_cart"),
        ("removeFromCart", "remove", "remove_from_cart"),
        ("productClick", "click", "select_item"),
        ("productDetail", "detail", "view_item"),
        ("checkout", "checkout", "begin_checkout"),
        ("add_to_cart", "add", "add_to_cart"),
    ],
)
def test_names_of_the_earlier_ecommerce_are_ours_where_its_products_are(event: str, part: str, ours: str) -> None:
    ecommerce = {part: {"products": [{"id": "tent-2", "name": "Dome tent", "price": "249.5", "quantity": 2}]}}
    row = kept(message(event=event, properties={"ecommerce": ecommerce}))
    assert (row.event, row.product_id, row.price) == (ours, "tent-2", 249.5)


@pytest.mark.parametrize("event", ["productClick", "productDetail", "checkout", "transaction"])
def test_the_same_names_without_products_are_a_shops_own(event: str) -> None:
    assert kept(message(event=event, properties={"ecommerce": None, "step": 1})).event == event


def test_prices_of_two_currencies_are_not_added_up() -> None:
    items = [{"product_id": "a", "price": 3}, {"product_id": "b", "price": 4, "currency": "usd"}]
    assert kept(message(event="view_cart", properties={"currency": "EUR", "items": items})).value is None
    assert kept(message(event="view_cart", properties={"currency": "USD", "items": items})).value == 7


def test_impressions_of_the_earlier_ecommerce_are_a_list() -> None:
    ecommerce = {"impressions": [{"id": "a", "position": 1}, {"id": "b"}]}
    row = kept(message(event="productImpressions", properties={"ecommerce": ecommerce}))
    assert (row.event, [item["product_id"] for item in props(row)["items"]]) == ("view_item_list", ["a", "b"])


OWN = {
    "query": "tent",
    "position": 3,
    "sku": "x",
    "products": ["a", "b"],
    "id": 7,
    "item_id": "i",
    "item_name": "n",
    "transaction_id": "t",
    "item_list": "l",
    "total": 5,
    "items": ["a", {"id": 1, "title": "t", "price": "60.00"}, None],
    "ecommerce": {"items": [{"item_id": "x"}]},
    "image_url": "u",
}


@pytest.mark.parametrize("event", ["quiz_done", "Quiz Done", "hover", "sign_up", "form_submit", "consent"])
def test_an_event_outside_of_commerce_keeps_its_own_names(event: str) -> None:
    stored = props(kept(message(event=event, properties=OWN)))
    assert {name: stored[name] for name in OWN} == OWN


def test_a_page_and_an_identify_keep_their_own_names() -> None:
    for kind in ("page", "identify", "group"):
        assert props(kept(message(type=kind, event=None, properties=OWN))) == OWN


@pytest.mark.parametrize(
    ("event", "properties", "columns"),
    [
        (
            "add_to_cart",
            {"item_id": "p", "item_name": "n", "item_category": "c"},
            {"product_id": "p", "name": "n", "category": "c"},
        ),
        ("view_item", {"id": 7}, {"product_id": "7"}),
        ("add_to_cart", {"productId": "p"}, {"product_id": "p"}),
        ("purchase", {"id": "o-1"}, {"order_id": "o-1", "product_id": ""}),
        ("search", {"query": "tent"}, {"search_term": "tent"}),
        ("share", {"item_id": "p"}, {"product_id": "p"}),
        ("view_cart", {"id": "c"}, {"product_id": "", "order_id": ""}),
    ],
)
def test_flat_names_of_commerce_are_ours(event: str, properties: dict[str, Any], columns: dict[str, Any]) -> None:
    row = kept(message(event=event, properties=properties))
    assert {name: getattr(row, name) for name in columns} == columns


@pytest.mark.parametrize(
    ("sent", "stored"), [(7, "7"), (7.0, "7"), (1729384756102938475, "1729384756102938475"), ("x", "x")]
)
def test_the_product_of_an_item_is_text(sent: object, stored: str) -> None:
    row = kept(message(event="view_cart", properties={"items": [{"item_id": sent}, {"item_id": "b"}]}))
    assert props(row)["items"][0]["product_id"] == stored


@pytest.mark.parametrize(
    ("event", "properties", "told"),
    [
        ("Product Shared", {"share_via": "email"}, {"method": "email"}),
        ("Cart Shared", {"share_via": "email", "method": "sms"}, {"share_via": "email", "method": "sms"}),
        (
            "Payment Info Entered",
            {"payment_method": "Visa", "shipping_method": "DHL"},
            {"payment_type": "Visa", "shipping_tier": "DHL"},
        ),
        ("Order Completed", {"payment_method": "Visa", "value": 1}, {"payment_method": "Visa"}),
        (
            "Quiz Done",
            {"share_via": "email", "payment_method": "Visa"},
            {"share_via": "email", "payment_method": "Visa"},
        ),
    ],
)
def test_segments_words_of_one_kind_of_event_are_ga4s(
    event: str, properties: dict[str, Any], told: dict[str, str]
) -> None:
    assert props(kept(message(event=event, properties=properties))) == told


def test_what_only_the_item_tells_is_told_of_the_event() -> None:
    item = {
        "item_id": "p",
        "price": 3,
        "currency": "EUR",
        "image_url": "https://s.example/p.jpg",
        "availability": "InStock",
    }
    row = kept(message(event="view_item", properties={"items": [{**item, "in_stock": True}]}))
    assert (row.currency, row.value) == ("EUR", 3)
    stored = props(row)
    assert (stored["image"], stored["availability"], stored["in_stock"]) == ("https://s.example/p.jpg", "InStock", True)
