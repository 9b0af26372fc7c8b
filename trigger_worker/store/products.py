"""Read the products of a site, from its catalogue and its events, and those that are bought or viewed together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Final

import msgspec

from trigger_worker.rules.language.duration import DAY_MS
from trigger_worker.store.statements import statement
from warehouse.queries import Queries

#: Events that are older say little about what people want now.
LOOKBACK_MS: Final = 90 * DAY_MS
#: A pair that fewer baskets or sessions hold is chance.
MIN_SUPPORT: Final = 3
#: Most products that are known of a site: those that most people viewed.
MAX_PRODUCTS: Final = 20_000
#: Most products of one basket or session that are paired: a robot's session must not cost its square.
MAX_TOGETHER: Final = 30
#: Most related products that are kept of a product: more than anybody shows, as some are in the cart or sold out.
MAX_RELATED: Final = 24
#: Values of schema.org's ItemAvailability, in lower case, with which a product cannot be bought now.
_GONE: Final = frozenset({"outofstock", "soldout", "discontinued"})


class Product(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The facts of a product that templates may use; a fact that nobody told is absent.

    `sale_price` and `availability` are those of a feed.
    """

    product_id: str
    name: str = ""
    category: str = ""
    price: float | None = None
    currency: str = ""
    image: str = ""
    url: str = ""
    sale_price: float | None = None
    availability: str = ""


class Recommendations(msgspec.Struct, frozen=True, kw_only=True):
    """The products of a site and how they belong together.

    Args:
        products: by id, the products that were viewed in the last 90 days.
        sold_out: ids of the products that are known to be out of stock.
        complementary: by product, the ids bought together with it, the best first.
        also_viewed: by product, the ids viewed in the same session, the best first.
        trending: ids that more people than usual view, the best first.
        read_at: when all this was computed, epoch ms.
    """

    products: Mapping[str, Product] = {}
    sold_out: Set[str] = frozenset()
    complementary: Mapping[str, Sequence[str]] = {}
    also_viewed: Mapping[str, Sequence[str]] = {}
    trending: Sequence[str] = ()
    read_at: int = 0

    def offer(self, ranked: Iterable[str], without: Set[str], limit: int) -> list[Product]:
        """Return the first products of a ranking that are known, not sold out and not in `without`."""
        chosen: list[Product] = []
        for product_id in ranked:
            product = self.products.get(product_id)
            if product is not None and product_id not in self.sold_out and product_id not in without:
                chosen.append(product)
            if len(chosen) >= limit:
                break
        return chosen[: max(0, limit)]


def read_recommendations(queries: Queries, site: str, now_ms: int) -> Recommendations:
    """Return the recommendations of a site at an instant (epoch ms).

    Cost: four queries over the site's purchases and views of 90 days; pairs grow with the square of the products in
    one basket, which is cut at `MAX_TOGETHER`.
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
    rows = queries.query(statement("products"), scope)
    products = [Product(**dict(zip(Product.__struct_fields__, row, strict=False))) for row in rows]
    return Recommendations(
        products={product.product_id: product for product in products},
        sold_out=frozenset(row[0] for row in rows if is_out_of_stock(*row[-2:])),
        complementary=_related(queries, "baskets", scope),
        also_viewed=_related(queries, "sessions", scope),
        trending=[product_id for (product_id,) in queries.query(statement("trending"), scope)],
        read_at=now_ms,
    )


def read_catalogue(queries: Queries, site: str, now_ms: int) -> dict[str, Product]:
    """Return, by id, the products of a site as the shop itself describes them: by feeds, its server, or imports.

    Cost: one query over the site's views of 90 days, and over `MAX_PRODUCTS` described products, those that most people
    viewed first, found by their ids.
    """
    scope = {"site": site, "since": now_ms - LOOKBACK_MS, "limit": MAX_PRODUCTS}
    rows = queries.query(statement("catalogue"), scope)
    products = (Product(**dict(zip(Product.__struct_fields__, row, strict=True))) for row in rows)
    return {product.product_id: product for product in products}


def is_out_of_stock(in_stock: str, availability: str) -> bool:
    """Tell whether a product is known to be sold out; a product of which nothing is known is not.

    Args:
        in_stock: the JSON of the property `in_stock`; '' when there is none.
        availability: the property of that name: a value of schema.org's ItemAvailability, with or without its address.
    """
    word = availability.rsplit("/", 1)[-1].replace("_", "").replace(" ", "").lower()
    return in_stock in {"false", "0", '"false"'} or word in _GONE


def _related(queries: Queries, groups: str, scope: Mapping[str, object]) -> dict[str, list[str]]:
    return dict(queries.query(statement("related", groups=statement(groups)), scope))
