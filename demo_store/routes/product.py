"""The page of a product, and its pictures, which are drawn from SVG templates."""

from __future__ import annotations

from typing import Any, Final

from litestar import get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from demo_store.cart import MAX_QUANTITY
from demo_store.catalogue import Product
from demo_store.data_layer import product_event
from demo_store.security import PICTURE_POLICY
from demo_store.structured_data import item_list, product
from demo_store.visit import CurrentVisit, found

PICTURE_TEMPLATE = "illustrations/frame.svg"
#: The views of a product in its gallery, with the words for them.
VIEWS: Final = {"studio": "on its own", "outdoors": "outdoors", "detail": "up close"}
#: The part of the drawing that each view shows, as an SVG view box; the panorama is for wide tiles.
_FRAMES: Final = {
    "studio": "0 0 400 400",
    "outdoors": "0 0 400 400",
    "detail": "96 96 208 208",
    "panorama": "0 0 800 400",
}


@get("/p/{slug:str}", sync_to_thread=False)
def show_product(slug: FromPath[str], visit: CurrentVisit) -> Template:
    """Show the page of a product."""
    item = found(visit.shop.catalogue.product(slug))
    related = visit.shop.catalogue.related_to(item)
    return visit.page(
        "product.html",
        item.name,
        trail=[(item.category.name, item.category.path), (item.name, item.path)],
        structured=[product(item, visit.origin), item_list(related, visit.origin, "You may also like")],
        pushes=[product_event("view_item", item, visit.origin)],
        product=item,
        related=related,
        views=VIEWS,
        max_quantity=min(MAX_QUANTITY, item.stock),
    )


@get("/images/{file_name:str}", sync_to_thread=False)
def show_picture(
    file_name: FromPath[str], visit: CurrentVisit, colour: FromQuery[str] = "", view: FromQuery[str] = ""
) -> Template:
    """Return a picture of a product; the file name is the product's slug and ``.svg``."""
    item = found(visit.shop.catalogue.product(file_name.removesuffix(".svg")))
    context: dict[str, Any] = picture_context(item, colour, view)
    return Template(
        PICTURE_TEMPLATE,
        context=context,
        media_type="image/svg+xml",
        headers={"Cache-Control": "public, max-age=3600", "Content-Security-Policy": PICTURE_POLICY},
    )


def picture_context(product: Product, colour_slug: str, view: str) -> dict[str, Any]:
    """Return the context of a picture's template; an unknown colour or view stands for the first one."""
    colour = product.colour(colour_slug) or product.colours[0]
    return {
        "product": product,
        "colour": colour.hex,
        "accent": product.accent,
        "tint": product.category.tint,
        "view": view if view in _FRAMES else "studio",
        "frames": _FRAMES,
    }
