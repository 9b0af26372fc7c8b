"""The pages that list products: the front page, categories, search and the wishlist."""

from __future__ import annotations

from litestar import get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from demo_store.data_layer import list_viewed, product_event, searched
from demo_store.forms import Submitted, WishForm
from demo_store.listing import MAX_QUERY_LENGTH, SORT_LABELS, apply_filter, parse_filter, search
from demo_store.structured_data import item_list, web_page, website
from demo_store.visit import CurrentVisit, found, safe_path

#: The searches that a page without results suggests.
SUGGESTED_SEARCHES = ("tent", "backpack", "wool", "coffee", "boots")


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


@get("/category/{slug:str}", sync_to_thread=False)
def show_category(
    slug: FromPath[str],
    visit: CurrentVisit,
    sort: FromQuery[str] = "",
    min_price: FromQuery[str] = "",
    max_price: FromQuery[str] = "",
    in_stock: FromQuery[str] = "",
) -> Template:
    """Show the products of a category, sorted and filtered as the address says."""
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
    """Show the products that a search found, or other searches when it found none."""
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


@get("/wishlist", sync_to_thread=False)
def show_wishlist(visit: CurrentVisit) -> Template:
    """Show the products on the visitor's wishlist."""
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
    """Put a product on the wishlist, or take it off when it is on the list."""
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
