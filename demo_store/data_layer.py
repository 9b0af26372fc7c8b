"""The pushes to the data layer of a page, in the vocabulary of GA4's ecommerce events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from demo_store.cart import CartLine
from demo_store.catalogue import Product
from demo_store.checkout import Order
from demo_store.prices import CURRENCY, ZERO

Push = dict[str, Any]


def product_item(product: Product, origin: str, quantity: int = 1) -> dict[str, Any]:
    """Return a product as an item; its addresses are absolute below `origin`."""
    item = {
        "item_id": product.sku,
        "item_name": product.name,
        "item_category": product.category.name,
        "price": float(product.price),
        "quantity": quantity,
        "image": origin + product.image_path,
        "url": origin + product.path,
    }
    if product.list_price is not None and product.on_sale:
        item["discount"] = float(product.list_price - product.price)
    return item


def line_item(line: CartLine, origin: str) -> dict[str, Any]:
    """Return a line of a cart as an item with its variant."""
    return {**product_item(line.product, origin, line.quantity), "item_variant": line.variant}


def list_viewed(products: Sequence[Product], origin: str, list_id: str, list_name: str) -> Push:
    """Return the push `view_item_list` for a list of products on the page."""
    items = [{**product_item(product, origin), "index": index} for index, product in enumerate(products)]
    ecommerce = {"item_list_id": list_id, "item_list_name": list_name, "items": items}
    return {"event": "view_item_list", "ecommerce": ecommerce}


def product_event(event: str, product: Product, origin: str) -> Push:
    """Return a push about one product, such as `view_item` or `add_to_wishlist`."""
    return _ecommerce(event, product.price, [product_item(product, origin)])


def lines_event(event: str, lines: Iterable[CartLine], origin: str, **extra: str) -> Push:
    """Return a push about lines of a cart, such as `add_to_cart` or `begin_checkout`."""
    lines = tuple(lines)
    value = sum((line.amount for line in lines), ZERO)
    return _ecommerce(event, value, [line_item(line, origin) for line in lines], **extra)


def purchased(order: Order, origin: str) -> Push:
    """Return the push `purchase` for an order; `value` is the goods after the coupon, without shipping."""
    totals = order.totals
    extra: dict[str, Any] = {
        "transaction_id": order.number,
        "shipping": float(totals.shipping or ZERO),
        "tax": float(totals.vat),
        "shipping_tier": order.shipping.name,
        "payment_type": order.payment.name,
    }
    if order.cart.coupon is not None:
        extra["coupon"] = order.cart.coupon
    items = [line_item(line, origin) for line in order.cart.lines]
    return _ecommerce("purchase", totals.goods_after_discount, items, **extra)


def searched(query: str, results: int) -> Push:
    """Return the push `view_search_results` for a search and its number of results."""
    return {"event": "view_search_results", "search_term": query, "results": results}


def account_event(event: str, method: str) -> Push:
    """Return a push about an account: `sign_up`, `login` or `subscribe`."""
    return {"event": event, "method": method}


def _ecommerce(event: str, value: Decimal, items: list[dict[str, Any]], **extra: Any) -> Push:  # noqa: ANN401 - JSON
    ecommerce = {"currency": CURRENCY, "value": float(value), **extra, "items": items}
    return {"event": event, "ecommerce": ecommerce}
