from __future__ import annotations

from tests.demo_store.browsing import Visitor


def test_a_purchase_is_announced_once_with_all_that_was_bought(visitor: Visitor) -> None:
    visitor.put_into_cart(quantity=2)
    visitor.put_into_cart("cairn-rain-shell", size="M", colour="tarn")
    visitor.send("/cart/coupon", code="WELCOME10")
    page = visitor.place_order(shipping="express", payment="invoice")
    assert page.events == ["purchase"]
    ecommerce = page.push("purchase")["ecommerce"]
    assert ecommerce["transaction_id"] in page.path
    assert {name: ecommerce[name] for name in ("value", "currency", "coupon", "shipping", "tax")} == {
        "value": 429.3,
        "currency": "EUR",
        "coupon": "WELCOME10",
        "shipping": 12.9,
        "tax": 70.6,
    }
    assert [(item["item_id"], item["quantity"]) for item in ecommerce["items"]] == [("TT-1003", 2), ("TT-3001", 1)]
    assert visitor.open(page.path).events == []


def test_without_a_coupon_none_is_announced(visitor: Visitor) -> None:
    visitor.put_into_cart()
    assert "coupon" not in visitor.place_order().push("purchase")["ecommerce"]


def test_the_thank_you_page_sums_the_order_up(visitor: Visitor) -> None:
    visitor.put_into_cart("ember-enamel-mug", colour="rust")
    page = visitor.place_order(shipping="pickup")
    assert page.path.startswith("/thank-you/TT-")
    for words in ("Thank you, Ada", "Campfire Enamel Mug", "Rust", "€21.90", "Parcel shop", "10115 Berlin"):
        assert words in page.text


def test_an_order_empties_the_cart_and_remembers_the_address(visitor: Visitor) -> None:
    visitor.put_into_cart()
    visitor.place_order()
    assert visitor.open("/cart").events == []
    visitor.put_into_cart("ember-enamel-mug")
    assert 'value="Lane 1"' in visitor.open("/checkout").text


def test_sending_the_order_twice_places_it_once(visitor: Visitor) -> None:
    visitor.put_into_cart()
    first = visitor.place_order()
    second = visitor.send("/checkout/place")
    assert second.path == first.path
    assert second.events == []
