"""The schema.org descriptions of the shop and its pages, as JSON-LD objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from demo_store.catalogue import Product
from demo_store.prices import CURRENCY

SHOP_NAME = "Tarn & Timber"

Node = dict[str, Any]

_CONTEXT = "https://schema.org"


def organization(origin: str) -> Node:
    """Return the description of the shop."""
    return {
        "@context": _CONTEXT,
        "@type": "Organization",
        "name": SHOP_NAME,
        "url": f"{origin}/",
        "logo": f"{origin}/static/mark.svg",
    }


def website(origin: str) -> Node:
    """Return the description of the site and its search."""
    return {
        "@context": _CONTEXT,
        "@type": "WebSite",
        "name": SHOP_NAME,
        "url": f"{origin}/",
        "potentialAction": {
            "@type": "SearchAction",
            "target": {"@type": "EntryPoint", "urlTemplate": f"{origin}/search?q={{search_term_string}}"},
            "query-input": "required name=search_term_string",
        },
    }


def breadcrumbs(origin: str, trail: Sequence[tuple[str, str]]) -> Node:
    """Return the breadcrumbs of a page; `trail` holds (name, path) from the outermost page to the page itself."""
    elements = [
        {"@type": "ListItem", "position": position, "name": name, "item": origin + path}
        for position, (name, path) in enumerate(trail, start=1)
    ]
    return {"@context": _CONTEXT, "@type": "BreadcrumbList", "itemListElement": elements}


def web_page(origin: str, path: str, name: str, kind: str = "WebPage") -> Node:
    """Return the description of a page; `kind` is a schema.org type such as `CollectionPage`."""
    return {"@context": _CONTEXT, "@type": kind, "name": name, "url": origin + path}


def product(item: Product, origin: str) -> Node:
    """Return the description of a product."""
    return {
        "@context": _CONTEXT,
        **_product_summary(item, origin),
        "description": item.description,
        "brand": {"@type": "Brand", "name": SHOP_NAME},
        "color": ", ".join(colour.name for colour in item.colours),
        "aggregateRating": {
            "@type": "AggregateRating",
            "ratingValue": item.rating,
            "reviewCount": item.reviews,
        },
    }


def item_list(products: Sequence[Product], origin: str, name: str) -> Node:
    """Return the description of a list of products."""
    elements = [
        {
            "@type": "ListItem",
            "position": position,
            "url": origin + item.path,
            "name": item.name,
            "image": origin + item.image_path,
            "item": _product_summary(item, origin),
        }
        for position, item in enumerate(products, start=1)
    ]
    return {
        "@context": _CONTEXT,
        "@type": "ItemList",
        "name": name,
        "numberOfItems": len(products),
        "itemListElement": elements,
    }


def _product_summary(item: Product, origin: str) -> Node:
    return {
        "@type": "Product",
        "name": item.name,
        "sku": item.sku,
        "url": origin + item.path,
        "image": origin + item.image_path,
        "category": item.category.name,
        "offers": {
            "@type": "Offer",
            "url": origin + item.path,
            "price": str(item.price),
            "priceCurrency": CURRENCY,
            "availability": f"{_CONTEXT}/{'InStock' if item.stock else 'OutOfStock'}",
            "itemCondition": f"{_CONTEXT}/NewCondition",
        },
    }
