"""Recommends products in templates: read once for all visitors of a site, and chosen for one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any, Final

import msgspec

from trigger_worker.deciding.recipient.product import Product, is_out_of_stock
from trigger_worker.delivery.content.context import CartContext
from trigger_worker.delivery.content.engine import FactRequest, MissingFacts
from trigger_worker.rules.language.duration import DAY_MS
from warehouse.queries import Queries, read_sql

#: How long recommendations are used before they are read again, in ms.
FRESH_MS: Final = 15 * 60_000
#: Most products that a template gets at once, and how many it gets by default.
_MOST: Final = 12
_USUAL: Final = 3


class Recommendations(msgspec.Struct, frozen=True, kw_only=True):
    """The products that a site can recommend, and how they belong together.

    Args:
        products: by id, the products that were viewed lately.
        sold_out: the ids of products that are known to be out of stock.
        complementary: by product, the products that are bought together with it, the best first.
        also_viewed: by product, the products that are viewed in the same session, the best first.
        trending: the products that more people than usual view, the best first.
        read_at: when the recommendations were read, epoch ms.
    """

    products: Mapping[str, Product] = {}
    sold_out: Set[str] = frozenset()
    complementary: Mapping[str, Sequence[str]] = {}
    also_viewed: Mapping[str, Sequence[str]] = {}
    trending: Sequence[str] = ()
    read_at: int = 0

    def offer(self, ranked: Iterable[str], without: Set[str], limit: int) -> list[Product]:
        """Return the first products of a ranking, leaving out unknown and sold out ones.

        Args:
            ranked: product ids, the best first.
            without: further product ids to leave out.
            limit: the most products to return.
        """
        chosen: list[Product] = []
        for product_id in ranked:
            product = self.products.get(product_id)
            if product is not None and product_id not in self.sold_out and product_id not in without:
                chosen.append(product)
            if len(chosen) >= limit:
                break
        return chosen[: max(0, limit)]


class Recommend:
    """The name `recommend` of templates: recommends products to one visitor.

    It leaves out products that are sold out, in the cart, or part of the latest purchase.

    Args:
        read: returns the site's recommendations, or raises `MissingFacts`.
        cart: the visitor's cart.
        order: the fields of the visitor's latest purchase.
        recent: the products that the visitor viewed, the latest first.
    """

    def __init__(
        self,
        read: Callable[[], Recommendations],
        cart: CartContext,
        order: Mapping[str, Any],
        recent: Sequence[Product],
    ) -> None:
        self._read = read
        self._recent = recent
        self._without = frozenset(item.product_id for item in cart.items) | _bought(order)

    def complementary(self, product_id: object, limit: object = _USUAL) -> list[dict[str, Any]]:
        """Return products that are bought together with a product.

        Args:
            product_id: the product's id; anything else has no such products.
            limit: the most products to return; anything but a number stands for 3.
        """
        known, asked = self._read(), _text(product_id)
        return _as_facts(known.offer(known.complementary.get(asked, ()), self._without | {asked}, _number(limit)))

    def also_viewed(self, product_id: object, limit: object = _USUAL) -> list[dict[str, Any]]:
        """Return products that are viewed in the same session as a product; arguments as `complementary`."""
        known, asked = self._read(), _text(product_id)
        return _as_facts(known.offer(known.also_viewed.get(asked, ()), self._without | {asked}, _number(limit)))

    def trending(self, limit: object = _USUAL) -> list[dict[str, Any]]:
        """Return products that more people than usual view; `limit` as in `complementary`."""
        known = self._read()
        return _as_facts(known.offer(known.trending, self._without, _number(limit)))

    def recently_viewed(self, limit: object = _USUAL) -> list[dict[str, Any]]:
        """Return products that the visitor viewed, the latest first; `limit` as in `complementary`."""
        sold_out = self._read().sold_out
        left = [each for each in self._recent if each.product_id not in sold_out | self._without]
        return _as_facts(left[: _number(limit)])


def _bought(order: Mapping[str, Any]) -> frozenset[str]:
    items = order.get("items")
    lines = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return frozenset(_text(line.get("product_id")) for line in [order, *lines])


def _as_facts(products: Sequence[Product]) -> list[dict[str, Any]]:
    return [msgspec.to_builtins(product) for product in products]


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

        Cost: as `read_shelf`.
        """
        self._by_site[request.site] = read_shelf(self._queries, request.site, now_ms)


PACKAGE: Final = "trigger_worker.delivery.offers"
#: What is older says little about what people want now.
LOOKBACK_MS: Final = 90 * DAY_MS
#: A pair that fewer baskets or sessions hold is chance.
MIN_SUPPORT: Final = 3
#: Most products that are known of a site, the most looked at.
MAX_PRODUCTS: Final = 20_000
#: Most products of one basket or session that are paired: a robot's session must not cost its square.
MAX_TOGETHER: Final = 30
#: Kept per product: more than anybody shows, as some are in the cart or sold out.
MAX_RELATED: Final = 24


def read_shelf(queries: Queries, site: str, now_ms: int) -> Recommendations:
    """Return what a site can recommend at an instant.

    Cost: four queries over the site's purchases and looks of 90 days; pairs grow with the square of what lies in one
    basket, which is cut at `MAX_TOGETHER`.
    """
    scope: dict[str, object] = {
        "site": site,
        "since": now_ms - LOOKBACK_MS,
        "until": now_ms,
        "day": now_ms - DAY_MS,
        "week": now_ms - 8 * DAY_MS,
        "support": MIN_SUPPORT,
        "together": MAX_TOGETHER,
        "related": MAX_RELATED,
        "products": MAX_PRODUCTS,
    }
    rows = queries.query(read_sql(PACKAGE, "products"), scope)
    products = [Product(**dict(zip(Product.__struct_fields__, row, strict=False))) for row in rows]
    return Recommendations(
        products={product.product_id: product for product in products},
        sold_out=frozenset(row[0] for row in rows if is_out_of_stock(*row[-2:])),
        complementary=_related(queries, "baskets", scope),
        also_viewed=_related(queries, "sessions", scope),
        trending=[product_id for (product_id,) in queries.query(read_sql(PACKAGE, "trending"), scope)],
        read_at=now_ms,
    )


def _related(queries: Queries, groups: str, scope: Mapping[str, object]) -> dict[str, list[str]]:
    sql = read_sql(PACKAGE, "related").replace("/* groups */", read_sql(PACKAGE, groups))
    return dict(queries.query(sql, scope))
