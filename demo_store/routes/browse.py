"""Lists of products: categories and search."""

from __future__ import annotations

from litestar import get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from demo_store.data_layer import list_viewed, searched
from demo_store.listing import MAX_QUERY_LENGTH, SORT_LABELS, apply_filter, parse_filter, search
from demo_store.structured_data import item_list, web_page
from demo_store.visit import CurrentVisit, found

#: What somebody who found nothing may look for instead.
SUGGESTED_SEARCHES = ("tent", "backpack", "wool", "coffee", "boots")


@get("/category/{slug:str}", sync_to_thread=False)
def show_category(
    slug: FromPath[str],
    visit: CurrentVisit,
    sort: FromQuery[str] = "",
    min_price: FromQuery[str] = "",
    max_price: FromQuery[str] = "",
    in_stock: FromQuery[str] = "",
) -> Template:
    """Show a category's products as the visitor sorts and filters them."""
    category = found(visit.shop.catalogue.category(slug))
    wanted = parse_filter(sort, min_price, max_price, in_stock)
    products = apply_filter(visit.shop.catalogue.in_category(category), wanted)
    return visit.page(
        "category.html",
        category.name,
        trail=[(category.name, category.path)],
        structured=[
            web_page(visit.origin, category.path, category.name, "CollectionPage"),
            item_list(products, visit.origin, category.name),
        ],
        pushes=[list_viewed(products, visit.origin, category.slug, category.name)],
        category=category,
        products=products,
        wanted=wanted,
        sort_labels=SORT_LABELS,
    )


@get("/search", sync_to_thread=False)
def show_search(visit: CurrentVisit, q: FromQuery[str] = "") -> Template:
    """Show what a search found, or where to go when it found nothing."""
    query = " ".join(q.split())[:MAX_QUERY_LENGTH]
    products = search(visit.shop.catalogue.products, query)
    listed = [list_viewed(products, visit.origin, "search_results", "Search results")] if products else []
    return visit.page(
        "search.html",
        f"Search: {query}" if query else "Search",
        trail=[("Search", "/search")],
        structured=[
            web_page(visit.origin, "/search", "Search", "SearchResultsPage"),
            item_list(products, visit.origin, "Search results"),
        ],
        pushes=[searched(query, len(products)), *listed] if query else [],
        query=query,
        products=products,
        suggestions=SUGGESTED_SEARCHES,
    )
