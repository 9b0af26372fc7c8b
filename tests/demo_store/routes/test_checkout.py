from __future__ import annotations

import pytest

from tests.demo_store.browsing import ADDRESS, Visitor


def test_checkout_begins_once_for_a_visit_to_the_cart(visitor: Visitor) -> None:
    visitor.put_into_cart()
    assert visitor.open("/checkout").events == ["begin_checkout"]
    assert visitor.open("/checkout").events == []
    visitor.open("/cart")
    assert visitor.open("/checkout").events == ["begin_checkout"]


def test_the_contact_step_tells_the_contact_of_a_guest_once_and_makes_nobody_of_them(visitor: Visitor) -> None:
    visitor.put_into_cart()
    page = visitor.send("/checkout", **ADDRESS)
    assert page.path == "/checkout/shipping"
    assert page.identities == [[None, {"email": "ada@example.com", "first_name": "Ada"}, {"hash": ""}]]
    assert visitor.open("/checkout/shipping").identities == []


def test_an_account_stays_who_it_is_whatever_address_its_order_names(visitor: Visitor) -> None:
    visitor.send("/sign-up", email="mallory@example.com", first_name="Mallory")
    visitor.put_into_cart()
    assert visitor.send("/checkout", **ADDRESS).identities == []


def test_a_hostile_name_stays_a_name(visitor: Visitor) -> None:
    visitor.put_into_cart()
    name = "</script><script>alert(1)//"
    page = visitor.send("/checkout", **{**ADDRESS, "first_name": name})
    assert page.identities[0][1]["first_name"] == name
    assert "<script>alert" not in page.text


@pytest.mark.parametrize("field", ADDRESS)
def test_a_mistake_is_shown_beside_its_field_and_the_rest_is_kept(field: str, visitor: Visitor) -> None:
    visitor.put_into_cart()
    page = visitor.send("/checkout", **{**ADDRESS, field: ""})
    assert page.status_code == 422
    marked = [named["name"] for _, named in page.elements if named.get("aria-invalid") == "true"]
    assert marked == [field]
    assert page.identities == []
    if field != "street":
        assert "Lane 1" in page.text


def test_shipping_and_payment_are_announced_once_with_what_was_chosen(visitor: Visitor) -> None:
    visitor.put_into_cart()
    visitor.send("/checkout", **ADDRESS)
    page = visitor.send("/checkout/shipping", choice="express")
    assert page.events == ["add_shipping_info"]
    assert page.push("add_shipping_info")["ecommerce"]["shipping_tier"] == "Express"
    page = visitor.send("/checkout/payment", choice="invoice")
    assert page.events == ["add_payment_info"]
    assert page.push("add_payment_info")["ecommerce"]["payment_type"] == "Invoice"
    assert visitor.open("/checkout/review").events == []


@pytest.mark.parametrize(
    ("path", "complaint"),
    [("/checkout/shipping", "how your order shall travel"), ("/checkout/payment", "how you want to pay")],
)
def test_an_unknown_choice_is_asked_again(path: str, complaint: str, visitor: Visitor) -> None:
    visitor.put_into_cart()
    visitor.go_through_checkout()
    page = visitor.send(path, choice="teleport")
    assert page.path == path
    assert complaint in page.text


@pytest.mark.parametrize("path", ["/checkout", "/checkout/shipping", "/checkout/payment", "/checkout/review"])
def test_an_empty_cart_leads_back_to_the_cart(path: str, visitor: Visitor) -> None:
    assert visitor.open(path).path == "/cart"


@pytest.mark.parametrize("path", ["/checkout/shipping", "/checkout/payment", "/checkout/review"])
def test_a_step_cannot_be_skipped(path: str, visitor: Visitor) -> None:
    visitor.put_into_cart()
    assert visitor.open(path).path == "/checkout"
    assert visitor.send("/checkout/place").path == "/checkout"


def test_shipping_prices_are_shown_for_this_cart(visitor: Visitor) -> None:
    visitor.put_into_cart("ember-enamel-mug")
    assert "€5.90" in visitor.send("/checkout", **ADDRESS).text
    visitor.put_into_cart("lodge-chair")
    assert "€5.90" not in visitor.open("/checkout/shipping").text
