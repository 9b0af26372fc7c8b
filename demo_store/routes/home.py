"""The front page."""

from __future__ import annotations

from litestar import get
from litestar.response import Template

from demo_store.data_layer import list_viewed
from demo_store.structured_data import item_list, website
from demo_store.visit import CurrentVisit


@get("/", sync_to_thread=False)
def show_home(visit: CurrentVisit) -> Template:
    """Show the front page with the bestsellers."""
    bestsellers = visit.shop.catalogue.bestsellers
    return visit.page(
        "home.html",
        "Goods for cold mornings",
        structured=[website(visit.origin), item_list(bestsellers, visit.origin, "Bestsellers")],
        pushes=[list_viewed(bestsellers, visit.origin, "bestsellers", "Bestsellers")],
        bestsellers=bestsellers,
    )
