"""Prices, availabilities and items of feeds."""

from __future__ import annotations

from typing import Any

import pytest

from micromoment.catalogue.feed_products import FeedProduct, merchant_product, read_price, shopify_product

BASE = "https://shop.example"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12.99 EUR", (12.99, "EUR")),
        ("12,99 EUR", (12.99, "EUR")),
        ("EUR 12.99", (12.99, "EUR")),
        ("eur12.99", (12.99, "EUR")),
        ("1,299.00 USD", (1299.0, "USD")),
        ("1.299,00 EUR", (1299.0, "EUR")),
        ("1.299 EUR", (1299.0, "EUR")),
        ("1'299.50 CHF", (1299.5, "CHF")),
        ("1 299,50 PLN", (1299.5, "PLN")),
        ("12", (12.0, "")),
        ("1200 JPY", (1200.0, "JPY")),
        ("0.5 EUR", (0.5, "EUR")),
        ("", (None, "")),
        ("free", (None, "")),
        ("12.99 EURO", (None, "")),
    ],
)
def test_a_price_is_read_however_it_is_written(text: str, expected: tuple[float | None, str]) -> None:
    assert read_price(text) == expected


ITEM = {
    "id": "p1",
    "title": "Lamp",
    "link": "https://shop.example/lamp",
    "image_link": "/lamp.jpg",
    "price": "40.00 EUR",
    "availability": "in stock",
}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {}),
        ({"sale_price": "30.00 EUR"}, {"sale_price": 30.0}),
        ({"sale_price": "50.00 EUR"}, {"sale_price": None}),
        ({"availability": "out_of_stock"}, {"availability": "out_of_stock"}),
        ({"availability": "https://schema.org/SoldOut"}, {"availability": "out_of_stock"}),
        ({"availability": "PreOrder"}, {"availability": "preorder"}),
        ({"availability": ""}, {"availability": "in_stock"}),
        ({"availability": "", "quantity": "0"}, {"availability": "out_of_stock", "stock": 0.0}),
        ({"quantity": "7"}, {"stock": 7.0}),
        ({"product_type": "Home > Lamps"}, {"category": "Home > Lamps"}),
        ({"google_product_category": "594"}, {"category": "594"}),
        ({"link": "javascript:alert(1)"}, {"url": "javascript:alert(1)"}),
        ({"link": "http://[broken"}, {"url": ""}),
    ],
)
def test_an_item_of_google_merchant_is_a_product(fields: dict[str, str], expected: dict[str, Any]) -> None:
    usual = {"product_id": "p1", "name": "Lamp", "price": 40.0, "currency": "EUR", "availability": "in_stock"}
    addresses = {"url": "https://shop.example/lamp", "image": "https://shop.example/lamp.jpg"}
    assert merchant_product({**ITEM, **fields}, BASE) == FeedProduct(**{**usual, **addresses, **expected})


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"id": ""}, "it has no id"),
        ({"title": ""}, "it has no title"),
        ({"id": "x" * 129}, "its id is longer than 128"),
    ],
)
def test_an_item_that_lacks_what_a_product_needs_says_so(fields: dict[str, str], reason: str) -> None:
    assert str(merchant_product({**ITEM, **fields}, BASE)).startswith(reason)


def variant(**fields: Any) -> dict[str, Any]:
    return {"id": 1, "price": "40.00", "compare_at_price": None, "available": True, **fields}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"price": 40.0}),
        ({"variants": [variant(price="50.00"), variant()]}, {"price": 40.0}),
        ({"variants": [variant(price="10.00", available=False), variant()]}, {"price": 40.0}),
        ({"variants": [variant(compare_at_price="60.00")]}, {"price": 60.0, "sale_price": 40.0}),
        ({"variants": [variant(compare_at_price="0.00")]}, {"price": 40.0}),
        ({"variants": [variant(available=False)]}, {"price": 40.0, "availability": "out_of_stock"}),
        ({"variants": [{"price": "3"}]}, {"price": 3.0}),
        ({"variants": [variant(inventory_quantity=3), variant(inventory_quantity=4)]}, {"price": 40.0, "stock": 7.0}),
        ({"variants": None}, {"price": None}),
        ({"images": [], "image": {"src": "/b.jpg"}}, {"price": 40.0, "image": "https://shop.example/b.jpg"}),
    ],
)
def test_a_product_of_shopify(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    usual = {"id": 77, "title": "Lamp", "handle": "lamp", "product_type": "Lamps", "variants": [variant()]}
    product = {**usual, "images": [{"src": "https://cdn.example/a.jpg"}], **fields}
    found = {
        "product_id": "77",
        "name": "Lamp",
        "category": "Lamps",
        "currency": "EUR",
        "image": "https://cdn.example/a.jpg",
        "url": "https://shop.example/products/lamp",
        "availability": "in_stock",
    }
    assert shopify_product(product, BASE, "EUR") == FeedProduct(**{**found, **expected})
