"""Which products a listing shows, and in which order: search, filters, sorting."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from demo_store.catalogue import Product

#: A longer search is cut here; nobody types that much.
MAX_QUERY_LENGTH = 100

_SORTS: dict[str, tuple[str, Callable[[Product], Any]]] = {
    "featured": ("Featured", lambda product: not product.bestseller),
    "price-up": ("Price: low to high", lambda product: product.price),
    "price-down": ("Price: high to low", lambda product: -product.price),
    "rating": ("Best rated", lambda product: -product.rating),
    "name": ("Name", lambda product: product.name),
}

#: Label by the value of `sort` in an address.
SORT_LABELS: dict[str, str] = {key: label for key, (label, _) in _SORTS.items()}


class ListingFilter(msgspec.Struct, frozen=True):
    """What a visitor asked of a listing; prices are euros, both bounds included."""

    sort: str = "featured"
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    in_stock: bool = False

    @property
    def is_active(self) -> bool:
        """Whether anything may be hidden by it."""
        return self.in_stock or self.min_price is not None or self.max_price is not None


def parse_filter(sort: str, min_price: str, max_price: str, in_stock: str) -> ListingFilter:
    """Read a filter from an address; what cannot be understood counts as not asked."""
    return ListingFilter(
        sort=sort if sort in _SORTS else "featured",
        min_price=_parse_price(min_price),
        max_price=_parse_price(max_price),
        in_stock=in_stock == "yes",
    )


def apply_filter(products: Iterable[Product], wanted: ListingFilter) -> tuple[Product, ...]:
    """List the products that pass the filter, in its order."""
    passing = [product for product in products if _passes(product, wanted)]
    return tuple(sorted(passing, key=_SORTS[wanted.sort][1]))


def search(products: Iterable[Product], query: str) -> tuple[Product, ...]:
    """List the products that every word of the query is found in, the best match first."""
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
    """Weigh a match by where it is: name, then tags and category, then the text; 0 when a word is nowhere."""
    weights = [
        (8, product.name),
        (4, " ".join((*product.tags, product.category.name))),
        (1, " ".join((product.tagline, product.description, *product.details))),
    ]
    tokens = [(weight, {_singular(token) for token in re.findall(r"\w+", text.lower())}) for weight, text in weights]
    scores = [max((weight for weight, found in tokens if _occurs(word, found)), default=0) for word in words]
    return sum(scores) if all(scores) else 0


def _occurs(word: str, tokens: set[str]) -> bool:
    return any(token.startswith(word) for token in tokens) if len(word) > 2 else word in tokens


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
