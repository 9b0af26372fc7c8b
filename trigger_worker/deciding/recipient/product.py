"""A product as the events of a shop describe it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from trigger_worker.rules.evaluate.event import Event

#: Values of schema.org's ItemAvailability, in lower case, of which nothing can be bought now.
_GONE: Final = frozenset({"outofstock", "soldout", "discontinued"})


class Product(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a template may say about a product; what no event told is absent."""

    product_id: str
    name: str = ""
    category: str = ""
    price: float | None = None
    currency: str = ""
    image: str = ""
    url: str = ""


def is_out_of_stock(in_stock: str, availability: str) -> bool:
    """Tell whether a product is known to be sold out; one of which nothing is known is not.

    Args:
        in_stock: the JSON of the property `in_stock`; empty when there is none.
        availability: the property of that name: one of schema.org's, with or without its address.
    """
    word = availability.rsplit("/", 1)[-1].replace("_", "").replace(" ", "").lower()
    return in_stock in {"false", "0", '"false"'} or word in _GONE


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
