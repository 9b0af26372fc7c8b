"""The routes of the cart: its page, its changes and its coupon."""

from __future__ import annotations

from litestar import get, post
from litestar.response import Redirect, Template
from msgspec.structs import replace

from demo_store.cart import MAX_QUANTITY, CartLine, put_line, set_coupon, total_up
from demo_store.catalogue import Product
from demo_store.data_layer import lines_event
from demo_store.forms import AddToCartForm, CartLineForm, CouponForm, Submitted
from demo_store.prices import COUPONS, FREE_SHIPPING_FROM, normalise_coupon
from demo_store.structured_data import web_page
from demo_store.visit import CurrentVisit, Visit, found


@get("/cart", sync_to_thread=False)
def show_cart(visit: CurrentVisit) -> Template:
    """Show the cart; the next checkout counts as begun anew."""
    cart = visit.session.cart
    visit.session.checkout.announced = False
    return visit.page(
        "cart.html",
        "Your cart",
        trail=[("Cart", "/cart")],
        structured=[web_page(visit.origin, "/cart", "Your cart")],
        pushes=[lines_event("view_cart", cart.lines, visit.origin)] if cart.lines else [],
        cart=cart,
        totals=total_up(cart),
        max_quantity=MAX_QUANTITY,
        free_shipping_from=FREE_SHIPPING_FROM,
    )


@post("/cart/add", sync_to_thread=False)
def add_to_cart(visit: CurrentVisit, data: Submitted[AddToCartForm]) -> Redirect:
    """Put a quantity of a variant into the cart."""
    product = found(visit.shop.catalogue.product(data.slug))
    line = _line_of(product, data)
    if line is None:
        visit.announce(notice=f"Please choose a size for {product.name} first.")
        return visit.redirect(product.path)
    in_cart = visit.session.cart.quantity_of(line.key)
    added = _change_cart(visit, replace(line, quantity=in_cart + line.quantity))
    if not added:
        visit.announce(notice=f"There is no more of {product.name} in stock just now.")
    return visit.redirect("/cart" if added else product.path)


@post("/cart/update", sync_to_thread=False)
def update_cart(visit: CurrentVisit, data: Submitted[CartLineForm]) -> Redirect:
    """Set the quantity of a line; 0 removes the line."""
    line = visit.session.cart.line(data.line)
    if line is not None:
        _change_cart(visit, replace(line, quantity=data.quantity))
    return visit.redirect("/cart")


@post("/cart/coupon", sync_to_thread=False)
def use_coupon(visit: CurrentVisit, data: Submitted[CouponForm]) -> Redirect:
    """Use a coupon, or remove it for an empty code."""
    coupon = normalise_coupon(data.code)
    visit.session.cart = set_coupon(visit.session.cart, coupon)
    if coupon is not None:
        visit.announce(notice=f"{coupon} takes {COUPONS[coupon]} % off your goods.")
    elif data.code.strip():
        visit.announce(notice="We do not know that coupon. Check the spelling, and try again.")
    return visit.redirect("/cart")


def _line_of(product: Product, form: AddToCartForm) -> CartLine | None:
    """Return the line for a form, or None when a size has to be chosen first."""
    if product.sizes and form.size not in product.sizes:
        return None
    colour = product.colour(form.colour) or product.colours[0]
    return CartLine(product, colour, form.size if product.sizes else "", max(1, form.quantity))


def _change_cart(visit: Visit, line: CartLine) -> bool:
    """Set a variant to the quantity of the line, announce the difference, and tell whether the cart changed."""
    before = visit.session.cart.quantity_of(line.key)
    visit.session.cart = put_line(visit.session.cart, line)
    difference = visit.session.cart.quantity_of(line.key) - before
    if difference:
        event = "add_to_cart" if difference > 0 else "remove_from_cart"
        notice = "Your cart is up to date." if before else f"{line.product.name} is in your cart."
        visit.announce(lines_event(event, [replace(line, quantity=abs(difference))], visit.origin), notice=notice)
    return difference != 0
