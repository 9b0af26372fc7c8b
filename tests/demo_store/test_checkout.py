from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace

from demo_store.account import Account
from demo_store.cart import Cart, CartLine
from demo_store.catalogue import Catalogue
from demo_store.checkout import CheckoutProgress, Contact, Order, check_contact, missing_step, prefilled
from demo_store.forms import ContactForm
from demo_store.prices import PAYMENT_OPTIONS, shipping_option
from tests.demo_store.browsing import ADDRESS

CONTACT = Contact("ada@example.com", "Ada", "Lovelace", "Lane 1", "10115", "Berlin", "Germany")


@pytest.mark.parametrize(
    ("progress", "step", "missing"),
    [
        (CheckoutProgress(), "/checkout", None),
        (CheckoutProgress(), "/checkout/shipping", "/checkout"),
        (CheckoutProgress(), "/checkout/review", "/checkout"),
        (CheckoutProgress(contact=CONTACT), "/checkout/shipping", None),
        (CheckoutProgress(contact=CONTACT), "/checkout/review", "/checkout/shipping"),
        (CheckoutProgress(contact=CONTACT, shipping="express"), "/checkout/payment", None),
        (CheckoutProgress(contact=CONTACT, shipping="express"), "/checkout/review", "/checkout/payment"),
        (CheckoutProgress(contact=CONTACT, shipping="express", payment="card"), "/checkout/review", None),
    ],
)
def test_a_step_needs_those_before_it(
    progress: CheckoutProgress, step: str, missing: str | None, catalogue: Catalogue
) -> None:
    product = catalogue.products[0]
    cart = Cart(lines=(CartLine(product, product.colours[0], "", 1),))
    assert missing_step(cart, progress, step) == missing


def test_an_empty_cart_cannot_be_checked_out() -> None:
    assert missing_step(Cart(), CheckoutProgress(contact=CONTACT), "/checkout") == "/cart"


@pytest.mark.parametrize(
    ("shipping", "placed", "first", "last"),
    [
        ("standard", date(2026, 11, 23), date(2026, 11, 25), date(2026, 11, 27)),
        ("express", date(2026, 11, 27), date(2026, 11, 30), date(2026, 11, 30)),
        ("pickup", date(2026, 11, 21), date(2026, 11, 24), date(2026, 11, 27)),
    ],
)
def test_a_parcel_travels_on_working_days(shipping: str, placed: date, first: date, last: date) -> None:
    option = shipping_option(shipping)
    assert option is not None
    placed_at = datetime(placed.year, placed.month, placed.day, 12, tzinfo=UTC)
    order = Order("TT-1", placed_at, Cart(), CONTACT, option, PAYMENT_OPTIONS[0])
    assert order.arrives == (first, last)


FORM = ContactForm(**ADDRESS)


def test_a_complete_form_makes_a_contact_without_the_spaces_around() -> None:
    contact, mistakes = check_contact(replace(FORM, city="  Berlin "))
    assert contact == Contact(**ADDRESS)
    assert mistakes == {}


@pytest.mark.parametrize(
    ("field", "value"), [*((name, " ") for name in ADDRESS), ("email", "ada"), ("country", "Moon")]
)
def test_a_mistake_is_named_by_its_field(field: str, value: str) -> None:
    contact, mistakes = check_contact(replace(FORM, **{field: value}))
    assert contact is None
    assert list(mistakes) == [field]


def test_the_form_starts_with_what_is_known() -> None:
    account = Account("bob@example.com", "Bob")
    assert prefilled(Contact(**ADDRESS), account) == FORM
    assert prefilled(None, account) == ContactForm(email="bob@example.com", first_name="Bob")
    assert prefilled(None, None) == ContactForm()
