"""The selection and order of products in a list: search, filters and sorting."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from demo_store.catalogue import Product

#: The length at which a search is cut, in characters.
MAX_QUERY_LENGTH = 100

_SORTS: dict[str, tuple[str, Callable[[Product], Any]]] = {
    "featured": ("Featured", lambda product: not product.bestseller),
    "price-up": ("Price: low to high", lambda product: product.price),
    "price-down": ("Price: high to low", lambda product: -product.price),
    "rating": ("Best rated", lambda product: -product.rating),
    "name": ("Name", lambda product: product.name),
}

#: The labels of the sort orders, by the value of `sort` in an address.
SORT_LABELS: dict[str, str] = {key: label for key, (label, _) in _SORTS.items()}


class ListingFilter(msgspec.Struct, frozen=True):
    """The filter and sort order of a list; prices are euros, and both bounds are included."""

    sort: str = "featured"
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    in_stock: bool = False

    @property
    def is_active(self) -> bool:
        """Tell whether the filter can hide a product."""
        return self.in_stock or self.min_price is not None or self.max_price is not None


def parse_filter(sort: str, min_price: str, max_price: str, in_stock: str) -> ListingFilter:
    """Return the filter in the parameters of an address; values that cannot be read are ignored."""
    return ListingFilter(
        sort=sort if sort in _SORTS else "featured",
        min_price=_parse_price(min_price),
        max_price=_parse_price(max_price),
        in_stock=in_stock == "yes",
    )


def apply_filter(products: Iterable[Product], wanted: ListingFilter) -> tuple[Product, ...]:
    """Return the products that pass the filter, in its sort order."""
    passing = [product for product in products if _passes(product, wanted)]
    return tuple(sorted(passing, key=_SORTS[wanted.sort][1]))


def search(products: Iterable[Product], query: str) -> tuple[Product, ...]:
    """Return the products in which every word of the query occurs, the best match first."""
    words = [_singular(word) for word in re.findall(r"\w+", query[:MAX_QUERY_LENGTH].lower())]
    if not words:
        return ()
    scored = [(_score(product, words), product) for product in products]
    found = [(score, product) for score, product in scored if score > 0]
    return tuple(product for _, product in sorted(found, key=lambda pair: -pair[0]))


def _parse_price(text: str) -> Decimal | None:
    try:
        price = Decimal(text)
    except InvalidOperation:
        return None
    return price if price.is_finite() and price >= 0 else None


def _passes(product: Product, wanted: ListingFilter) -> bool:
    return (
        (wanted.min_price is None or product.price >= wanted.min_price)
        and (wanted.max_price is None or product.price <= wanted.max_price)
        and (not wanted.in_stock or product.stock > 0)
    )


def _score(product: Product, words: list[str]) -> int:
    """Return the score of a product: 8 for a word in the name, 4 in tags or category, 1 in the text.

    The score is 0 when a word does not occur.
    """
    weights = [
        (8, product.name),
        (4, " ".join((*product.tags, product.category.name))),
        (1, " ".join((product.tagline, product.description, *product.details))),
    ]
    tokens = [(weight, {_singular(token) for token in re.findall(r"\w+", text.lower())}) for weight, text in weights]
    scores = [max((weight for weight, found in tokens if _occurs(word, found)), default=0) for word in words]
    return sum(scores) if all(scores) else 0


def _occurs(word: str, tokens: set[str]) -> bool:
    """Tell whether a word begins one of the tokens; a word of up to two letters must be one of them."""
    return any(token.startswith(word) for token in tokens) if len(word) > 2 else word in tokens


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
