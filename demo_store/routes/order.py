"""The routes that place an order and thank for it."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from demo_store.cart import Cart
from demo_store.checkout import CheckoutProgress, Order, missing_step
from demo_store.data_layer import purchased
from demo_store.prices import payment_option, shipping_option
from demo_store.session import Session
from demo_store.structured_data import web_page
from demo_store.visit import CurrentVisit, found

_NUMBER_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


@post("/checkout/place", sync_to_thread=False)
def place_order(visit: CurrentVisit) -> Response[Any]:
    """Turn the cart into an order; a form that is sent twice leads to the same order."""
    session = visit.session
    if not session.cart.lines and session.orders:
        return visit.redirect(f"/thank-you/{list(session.orders)[-1]}")
    order = _order_of(session, datetime.now(UTC))
    if order is None:
        return visit.redirect(missing_step(session.cart, session.checkout, "/checkout/review") or "/checkout/review")
    session.keep_order(order)
    session.cart = Cart()
    session.checkout = CheckoutProgress(contact=order.contact)
    visit.announce(purchased(order, visit.origin))
    return visit.redirect(f"/thank-you/{order.number}")


@get("/thank-you/{number:str}", sync_to_thread=False)
def show_thanks(number: FromPath[str], visit: CurrentVisit) -> Template:
    """Show the thanks for an order of this session; the page does not exist for other sessions."""
    order = found(visit.session.orders.get(number))
    return visit.page(
        "thank_you.html",
        "Thank you",
        structured=[web_page(visit.origin, f"/thank-you/{number}", "Thank you")],
        order=order,
        totals=order.totals,
    )


def _order_of(session: Session, now: datetime) -> Order | None:
    """Return the order of a complete checkout, or None when a step is missing."""
    progress = session.checkout
    shipping, payment = shipping_option(progress.shipping), payment_option(progress.payment)
    if not session.cart.lines or progress.contact is None or shipping is None or payment is None:
        return None
    number = "TT-" + "".join(secrets.choice(_NUMBER_ALPHABET) for _ in range(8))
    return Order(number, now, session.cart, progress.contact, shipping, payment)
