"""A product as the events of a shop describe it."""

from __future__ import annotations

from typing import Final

import msgspec

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
