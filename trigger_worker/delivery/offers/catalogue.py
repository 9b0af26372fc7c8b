"""The products that the shop itself described, by feeds, its server or imports, in memory, for every message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trigger_worker.delivery.content.engine import FactRequest
from trigger_worker.store.products import Product, read_catalogue
from warehouse.queries import Queries

#: How long products are used before they are read again, ms.
FRESH_MS: Final = 15 * 60_000


class CatalogueRequest(FactRequest, frozen=True):
    """The request for the products of a site."""

    site: str


class Catalogue:
    """Finds the products that a site itself described; before they are read, it knows none, and nobody waits.

    Args:
        queries: the database of products.
    """

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._by_site: dict[str, Mapping[str, Product]] = {}
        self._read_at: dict[str, int] = {}
        self._asked: set[str] = set()

    def find(self, site: str, product_id: str) -> Product | None:
        """Return a product of a site, None where the site never described it."""
        self._asked.add(site)
        return self._by_site.get(site, {}).get(product_id)

    def outdated(self, now_ms: int) -> list[CatalogueRequest]:
        """Return requests for the products of sites that were asked about and were not read of late.

        Args:
            now_ms: the present, in epoch ms.
        """
        asked, self._asked = self._asked, set()
        return [CatalogueRequest(site) for site in sorted(asked) if now_ms - self._read_at.get(site, 0) >= FRESH_MS]

    def read(self, site: str, now_ms: int) -> None:
        """Read the products of a site.

        Args:
            site: the site.
            now_ms: the present, in epoch ms.

        Raises:
            WarehouseError: ClickHouse does not answer.

        Cost: as `read_catalogue`.
        """
        self._by_site[site] = read_catalogue(self._queries, site, now_ms)
        self._read_at[site] = now_ms
