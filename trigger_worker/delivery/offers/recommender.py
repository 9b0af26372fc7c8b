"""Keeps what each site can recommend at hand."""

from __future__ import annotations

from typing import Final

import msgspec

from trigger_worker.delivery.content.missing import MissingFacts
from trigger_worker.delivery.offers.product_facts import read_shelf
from trigger_worker.delivery.offers.recommendations import Recommendations
from warehouse.queries import Queries

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
