"""Works out a site's shelf in ClickHouse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trigger_worker.deciding.recipient.product import Product, is_out_of_stock
from trigger_worker.delivery.offers.recommendations import Recommendations
from trigger_worker.rules.language.duration import DAY_MS
from warehouse.queries import Queries
from warehouse.sql import read_sql

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
