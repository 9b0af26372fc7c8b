"""The wishlist."""

from __future__ import annotations

from litestar import get, post
from litestar.response import Redirect, Template

from demo_store.data_layer import product_event
from demo_store.forms import Submitted, WishForm
from demo_store.structured_data import web_page
from demo_store.visit import CurrentVisit, found, safe_path


@get("/wishlist", sync_to_thread=False)
def show_wishlist(visit: CurrentVisit) -> Template:
    """Show what the visitor wishes for."""
    wished = [product for product in visit.shop.catalogue.products if product.slug in visit.session.wishlist]
    return visit.page(
        "wishlist.html",
        "Your wishlist",
        trail=[("Wishlist", "/wishlist")],
        structured=[web_page(visit.origin, "/wishlist", "Your wishlist")],
        products=wished,
    )


@post("/wishlist", sync_to_thread=False)
def toggle_wish(visit: CurrentVisit, data: Submitted[WishForm]) -> Redirect:
    """Wish for a product, or no longer."""
    product = found(visit.shop.catalogue.product(data.slug))
    wishlist = visit.session.wishlist
    if product.slug in wishlist:
        wishlist.remove(product.slug)
        visit.announce(notice=f"{product.name} is off your wishlist.")
    else:
        wishlist.append(product.slug)
        push = product_event("add_to_wishlist", product, visit.origin)
        visit.announce(push, notice=f"{product.name} is on your wishlist.")
    return visit.redirect(safe_path(data.back, product.path))
