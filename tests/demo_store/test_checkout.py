from __future__ import annotations

import pytest

from demo_store.cart import Cart, CartLine
from demo_store.catalogue import Catalogue
from demo_store.checkout import CheckoutProgress, missing_step
from demo_store.order import Contact

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
