"""The steps of a checkout, and which of them is still to be taken."""

from __future__ import annotations

import msgspec

from demo_store.cart import Cart
from demo_store.order import Contact

#: Name of each step by its path, in order.
STEPS = {
    "/checkout": "Address",
    "/checkout/shipping": "Shipping",
    "/checkout/payment": "Payment",
    "/checkout/review": "Review",
}


class CheckoutProgress(msgspec.Struct):
    """How far a checkout has come; `announced` is whether its begin was pushed to the data layer."""

    announced: bool = False
    contact: Contact | None = None
    shipping: str = ""
    payment: str = ""


def missing_step(cart: Cart, progress: CheckoutProgress, step: str) -> str | None:
    """Give the path of what has to come before `step` and has not; None when nothing is missing."""
    if not cart.lines:
        return "/cart"
    done = {
        "/checkout": progress.contact is not None,
        "/checkout/shipping": bool(progress.shipping),
        "/checkout/payment": bool(progress.payment),
    }
    paths = list(STEPS)
    return next((path for path in paths[: paths.index(step)] if not done[path]), None)
