"""`recommend` in a template."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from trigger_worker.deciding.recipient.product import Product
from trigger_worker.delivery.content.context import CartContext
from trigger_worker.delivery.offers.recommendations import Recommendations

#: More than this is no recommendation.
_MOST: Final = 12
_USUAL: Final = 3


class Recommend:
    """Recommends products to one visitor: none that is sold out, in the cart, or among what was bought last.

    Args:
        shelf: gives the site's, or raises `MissingFacts`.
        cart: the visitor's.
        order: fields of the visitor's latest purchase.
        recent: what the visitor looked at, the latest first.
    """

    def __init__(
        self,
        shelf: Callable[[], Recommendations],
        cart: CartContext,
        order: Mapping[str, Any],
        recent: Sequence[Product],
    ) -> None:
        self._shelf = shelf
        self._recent = recent
        self._without = frozenset(item.product_id for item in cart.items) | _bought(order)

    def complementary(self, product_id: object, limit: object = _USUAL) -> list[dict[str, Any]]:
        """Return what is bought together with a product."""
        shelf, asked = self._shelf(), _text(product_id)
        return _told(shelf.offer(shelf.complementary.get(asked, ()), self._without | {asked}, _number(limit)))

    def also_viewed(self, product_id: object, limit: object = _USUAL) -> list[dict[str, Any]]:
        """Return what is looked at together with a product."""
        shelf, asked = self._shelf(), _text(product_id)
        return _told(shelf.offer(shelf.also_viewed.get(asked, ()), self._without | {asked}, _number(limit)))

    def trending(self, limit: object = _USUAL) -> list[dict[str, Any]]:
        """Return what more people than usual look at."""
        shelf = self._shelf()
        return _told(shelf.offer(shelf.trending, self._without, _number(limit)))

    def recently_viewed(self, limit: object = _USUAL) -> list[dict[str, Any]]:
        """Return what the visitor looked at, the latest first."""
        sold_out = self._shelf().sold_out
        left = [each for each in self._recent if each.product_id not in sold_out | self._without]
        return _told(left[: _number(limit)])


def _bought(order: Mapping[str, Any]) -> frozenset[str]:
    items = order.get("items")
    lines = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return frozenset(_text(line.get("product_id")) for line in [order, *lines])


def _told(products: Sequence[Product]) -> list[dict[str, Any]]:
    return [msgspec.to_builtins(product) for product in products]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int:
    return min(_MOST, max(0, value)) if isinstance(value, int) and not isinstance(value, bool) else _USUAL
