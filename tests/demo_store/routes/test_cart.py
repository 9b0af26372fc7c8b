from __future__ import annotations

import pytest

from tests.demo_store.browsing import Visitor

TARP = "TT-1003:tarn:"


def test_adding_is_announced_once_on_the_page_that_follows(visitor: Visitor) -> None:
    page = visitor.put_into_cart(colour="moss", quantity=2)
    assert page.path == "/cart"
    assert page.events == ["add_to_cart", "view_cart"]
    ecommerce = page.push("add_to_cart")["ecommerce"]
    assert ecommerce["value"] == 238.0
    assert ecommerce["currency"] == "EUR"
    (item,) = ecommerce["items"]
    assert (item["item_id"], item["quantity"], item["price"]) == ("TT-1003", 2, 119.0)
    assert item["item_variant"] == "Moss"


def test_a_reload_repeats_only_the_view(visitor: Visitor) -> None:
    visitor.put_into_cart()
    assert visitor.open("/cart").events == ["view_cart"]


def test_a_page_that_says_something_once_is_not_kept_by_the_browser(visitor: Visitor) -> None:
    assert visitor.put_into_cart().headers["cache-control"] == "no-store"
    assert visitor.open("/cart").headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("quantity", "event", "moved", "value"),
    [(5, "add_to_cart", 3, 357.0), (1, "remove_from_cart", 1, 119.0), (0, "remove_from_cart", 2, 238.0)],
)
def test_a_change_of_quantity_announces_the_difference(
    quantity: int, event: str, moved: int, value: float, visitor: Visitor
) -> None:
    visitor.put_into_cart(quantity=2)
    ecommerce = visitor.send("/cart/update", line=TARP, quantity=quantity).push(event)["ecommerce"]
    assert ecommerce["value"] == value
    assert [item["quantity"] for item in ecommerce["items"]] == [moved]


@pytest.mark.parametrize(("line", "quantity"), [(TARP, 2), ("TT-9999::", 3)])
def test_a_change_that_changes_nothing_announces_nothing(line: str, quantity: int, visitor: Visitor) -> None:
    visitor.put_into_cart(quantity=2)
    assert visitor.send("/cart/update", line=line, quantity=quantity).events == ["view_cart"]


def test_adding_the_same_again_adds_up_to_the_limit(visitor: Visitor) -> None:
    visitor.put_into_cart(quantity=8)
    assert visitor.put_into_cart(quantity=8).push("add_to_cart")["ecommerce"]["items"][0]["quantity"] == 2
    page = visitor.put_into_cart()
    assert page.events == ["view_item"]
    assert "no more of Heron Tarp" in page.text


def test_a_size_must_be_chosen_where_there_are_sizes(visitor: Visitor) -> None:
    page = visitor.put_into_cart("cairn-rain-shell")
    assert page.path == "/p/cairn-rain-shell"
    assert "Please choose a size" in page.text
    assert visitor.put_into_cart("cairn-rain-shell", size="M").events == ["add_to_cart", "view_cart"]


def test_what_is_sold_out_does_not_get_into_the_cart(visitor: Visitor) -> None:
    assert visitor.put_into_cart("hauler-log-carrier").events == ["view_item"]
    assert visitor.open("/cart").events == []


def test_an_unknown_product_cannot_be_added(visitor: Visitor) -> None:
    assert visitor.put_into_cart("perpetual-motion").status_code == 404


@pytest.mark.parametrize(("code", "total"), [("welcome10", "€107.10"), ("THANKYOU15", "€101.15"), ("FREE", "€119.00")])
def test_a_coupon_changes_the_total(code: str, total: str, visitor: Visitor) -> None:
    visitor.put_into_cart()
    assert total in visitor.send("/cart/coupon", code=code).text


def test_a_coupon_can_be_taken_away(visitor: Visitor) -> None:
    visitor.put_into_cart()
    visitor.send("/cart/coupon", code="WELCOME10")
    assert "WELCOME10" not in visitor.send("/cart/coupon", code="").text


def test_an_unknown_coupon_is_answered_in_words(visitor: Visitor) -> None:
    visitor.put_into_cart()
    assert "We do not know that coupon" in visitor.send("/cart/coupon", code="<b>").text


def test_progress_towards_free_shipping_is_shown_until_it_is_reached(visitor: Visitor) -> None:
    assert "Add €62.00 more" in visitor.put_into_cart("ember-enamel-mug").text
    assert "Standard shipping is free" in visitor.put_into_cart("ember-enamel-mug", quantity=4).text


def test_a_missing_file_does_not_swallow_what_the_next_page_is_to_say(visitor: Visitor) -> None:
    visitor.client.follow_redirects = False
    visitor.put_into_cart()
    assert visitor.open("/favicon.ico").events == []
    assert visitor.open("/cart").events == ["add_to_cart", "view_cart"]
