"""What a site can recommend, worked out once for all of its visitors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any, Final

import msgspec

from trigger_worker.deciding.recipient.product import Product, is_out_of_stock
from trigger_worker.delivery.content.context import CartContext
from trigger_worker.delivery.content.engine import MissingFacts
from trigger_worker.rules.language.duration import DAY_MS
from warehouse.queries import Queries, read_sql


class Recommendations(msgspec.Struct, frozen=True, kw_only=True):
    """The products of a site and how they belong together.

    Args:
        products: by id, those that were looked at of late.
        sold_out: ids of those that are known to be out of stock.
        complementary: by product, what is bought together with it, the best first.
        also_viewed: by product, what is looked at in the same session, the best first.
        trending: what more people than usual look at, the best first.
        read_at: when it was worked out, epoch milliseconds.
    """

    products: Mapping[str, Product] = {}
    sold_out: Set[str] = frozenset()
    complementary: Mapping[str, Sequence[str]] = {}
    also_viewed: Mapping[str, Sequence[str]] = {}
    trending: Sequence[str] = ()
    read_at: int = 0

    def offer(self, ranked: Iterable[str], without: Set[str], limit: int) -> list[Product]:
        """Return the first of some products, leaving out what is sold out, what nobody knows, and `without`."""
        chosen: list[Product] = []
        for product_id in ranked:
            product = self.products.get(product_id)
            if product is not None and product_id not in self.sold_out and product_id not in without:
                chosen.append(product)
            if len(chosen) >= limit:
                break
        return chosen[: max(0, limit)]


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


#: After how long a shelf is worked out anew.
FRESH_MS: Final = 15 * 60_000


class RecommendationRequest(msgspec.Struct, frozen=True):
    """Asks for the shelf of a site."""

    site: str


class Recommender:
    """Shelves, read when a template first asks for one; an old one serves until a newer one is there.

    A shop whose templates recommend nothing never pays for it.

    Args:
        queries: where the events are.
    """

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._shelves: dict[str, Recommendations] = {}
        self._asked: set[str] = set()

    def shelf(self, site: str) -> Recommendations:
        """Return what a site can recommend.

        Raises:
            MissingFacts: it has to be read first.
        """
        if site not in self._shelves:
            raise MissingFacts(RecommendationRequest(site))
        self._asked.add(site)
        return self._shelves[site]

    def outdated(self, now_ms: int) -> list[RecommendationRequest]:
        """Return what should be read anew: the old shelves that somebody asked for since this was asked last."""
        asked, self._asked = self._asked, set()
        return [
            RecommendationRequest(site) for site in sorted(asked) if now_ms - self._shelves[site].read_at >= FRESH_MS
        ]

    def read(self, wish: RecommendationRequest, now_ms: int) -> None:
        """Read what a template asked for."""
        self._shelves[wish.site] = read_shelf(self._queries, wish.site, now_ms)


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
