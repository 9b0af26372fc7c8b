"""What a site can recommend, worked out once for all of its visitors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

import msgspec

from trigger_worker.deciding.recipient.product import Product


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
