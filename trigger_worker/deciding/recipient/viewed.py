"""The products that a visitor looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from trigger_worker.deciding.recipient.product import Product
from trigger_worker.rules.evaluate.event import Event

#: More than anybody shows, as some are in the cart or sold out.
_MOST: Final = 24


def recently_viewed(events: Sequence[Event]) -> tuple[Product, ...]:
    """Return the products of looks, the latest first, each once, as its latest look describes it.

    Args:
        events: in order; others than looks are passed over.
    """
    found: dict[str, Product] = {}
    for event in reversed(events):
        product_id = event.fields.get("product_id")
        if event.name == "view_item" and isinstance(product_id, str) and product_id not in found:
            found[product_id] = _product(product_id, event.fields)
            if len(found) == _MOST:
                break
    return tuple(found.values())


def _product(product_id: str, fields: Mapping[str, Any]) -> Product:
    price = fields.get("price")
    texts = {name: _text(fields.get(name)) for name in ("name", "category", "currency", "image", "url")}
    return Product(product_id=product_id, price=float(price) if isinstance(price, int | float) else None, **texts)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
