"""Product pages and the pictures on them."""

from __future__ import annotations

from typing import Any

from litestar import get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from demo_store.cart import MAX_QUANTITY
from demo_store.data_layer import product_event
from demo_store.illustration import PICTURE_TEMPLATE, VIEWS, picture_context
from demo_store.security import PICTURE_POLICY
from demo_store.structured_data import item_list, product
from demo_store.visit import CurrentVisit, found


@get("/p/{slug:str}", sync_to_thread=False)
def show_product(slug: FromPath[str], visit: CurrentVisit) -> Template:
    """Show one product."""
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
    """Draw a product, named by its slug and ``.svg``."""
    item = found(visit.shop.catalogue.product(file_name.removesuffix(".svg")))
    context: dict[str, Any] = picture_context(item, colour, view)
    return Template(
        PICTURE_TEMPLATE,
        context=context,
        media_type="image/svg+xml",
        headers={"Cache-Control": "public, max-age=3600", "Content-Security-Policy": PICTURE_POLICY},
    )
