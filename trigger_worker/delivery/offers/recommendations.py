"""Recommends products in templates: read once for all visitors of a site, and chosen for one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from trigger_worker.deciding.recipient.shopping import CartContext
from trigger_worker.delivery.content.engine import FactRequest, MissingFacts
from trigger_worker.store.products import Product, Recommendations, read_recommendations
from warehouse.queries import Queries

#: How long recommendations are used before they are read again, in ms.
FRESH_MS: Final = 15 * 60_000
#: Most products that a template gets at once, and how many it gets by default.
_MOST: Final = 12
_USUAL: Final = 3


class Recommend:
    """The name `recommend` of templates: recommends products to one visitor.

    It leaves out products that are sold out, in the cart, or part of the latest purchase.

    Args:
        read: returns the site's recommendations, or raises `MissingFacts`.
        cart: the visitor's cart.
        order: the fields of the visitor's latest purchase.
        recent: the products that the visitor viewed, the latest first.
        clean: cleans the facts of a product, which pages told.
    """

    def __init__(
        self,
        read: Callable[[], Recommendations],
        cart: CartContext,
        order: Mapping[str, Any],
        recent: Sequence[Product],
        clean: Callable[[Mapping[str, Any]], dict[str, Any]],
    ) -> None:
        self._read = read
        self._recent = recent
        self._clean = clean
        self._without = frozenset(item.product_id for item in cart.items) | _bought(order)

    def complementary(self, product_id: object, limit: object = _USUAL) -> list[dict[str, Any]]:
        """Return products that are bought together with a product.

        Args:
            product_id: the product's id; anything else has no such products.
            limit: the most products to return; anything but a number stands for 3.
        """
        known, asked = self._read(), _text(product_id)
        return self._as_facts(known.offer(known.complementary.get(asked, ()), self._without | {asked}, _number(limit)))

    def also_viewed(self, product_id: object, limit: object = _USUAL) -> list[dict[str, Any]]:
        """Return products that are viewed in the same session as a product; arguments as `complementary`."""
        known, asked = self._read(), _text(product_id)
        return self._as_facts(known.offer(known.also_viewed.get(asked, ()), self._without | {asked}, _number(limit)))

    def trending(self, limit: object = _USUAL) -> list[dict[str, Any]]:
        """Return products that more people than usual view; `limit` as in `complementary`."""
        known = self._read()
        return self._as_facts(known.offer(known.trending, self._without, _number(limit)))

    def recently_viewed(self, limit: object = _USUAL) -> list[dict[str, Any]]:
        """Return products that the visitor viewed, the latest first; `limit` as in `complementary`."""
        sold_out = self._read().sold_out
        left = [each for each in self._recent if each.product_id not in sold_out | self._without]
        return self._as_facts(left[: _number(limit)])

    def _as_facts(self, products: Sequence[Product]) -> list[dict[str, Any]]:
        return [self._clean(msgspec.to_builtins(product)) for product in products]


def _bought(order: Mapping[str, Any]) -> frozenset[str]:
    items = order.get("items")
    lines = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return frozenset(_text(line.get("product_id")) for line in [order, *lines])


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int:
    return min(_MOST, max(0, value)) if isinstance(value, int) and not isinstance(value, bool) else _USUAL


class RecommendationRequest(FactRequest, frozen=True):
    """The request of a template for the recommendations of a site."""

    site: str


class Recommender:
    """Keeps the recommendations of each site in memory, once a template has requested them.

    Outdated recommendations are used until newer ones are read. A shop whose templates recommend nothing costs
    nothing.

    Args:
        queries: the database of events.
    """

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._by_site: dict[str, Recommendations] = {}
        self._asked: set[str] = set()

    def recommendations(self, site: str) -> Recommendations:
        """Return the recommendations of a site.

        Raises:
            MissingFacts: the recommendations have to be read first.
        """
        if site not in self._by_site:
            raise MissingFacts(RecommendationRequest(site))
        self._asked.add(site)
        return self._by_site[site]

    def outdated(self, now_ms: int) -> list[RecommendationRequest]:
        """Return requests for outdated recommendations that were used since the last call.

        Args:
            now_ms: the present, in epoch ms.
        """
        asked, self._asked = self._asked, set()
        return [
            RecommendationRequest(site) for site in sorted(asked) if now_ms - self._by_site[site].read_at >= FRESH_MS
        ]

    def read(self, request: RecommendationRequest, now_ms: int) -> None:
        """Read the recommendations that a template requested.

        Raises:
            WarehouseError: ClickHouse does not answer.

        Cost: as `read_recommendations`.
        """
        self._by_site[request.site] = read_recommendations(self._queries, request.site, now_ms)
