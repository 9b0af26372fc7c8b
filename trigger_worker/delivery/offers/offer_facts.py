"""The further facts of templates, `recommend` and `coupon`: as messages are sent, and as they are previewed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trigger_worker.deciding.recipient.profile import Profile
from trigger_worker.delivery.content.engine import MissingFacts
from trigger_worker.delivery.content.foreign_text import FactCleaner
from trigger_worker.delivery.offers.catalogue import Catalogue, CatalogueRequest
from trigger_worker.delivery.offers.coupon_book import CouponBook, CouponRequest, find_given
from trigger_worker.delivery.offers.coupon_pool import PoolExhausted
from trigger_worker.delivery.offers.recommendations import Recommend, RecommendationRequest, Recommender
from trigger_worker.store.coupons import CouponStore
from trigger_worker.store.people import Person
from warehouse.queries import Queries


class OfferFacts:
    """Answers templates from memory; missing facts are read between two renderings, for all messages at once.

    Args:
        store: the database of events and coupon assignments.
        coupons: the folder of coupon pools.
        catalogue: the products that sites themselves described, read again here.
        cleaner: cleans what pages told of products.
    """

    def __init__(self, store: CouponStore, coupons: Path, catalogue: Catalogue, cleaner: FactCleaner) -> None:
        self._recommender = Recommender(store)
        self._catalogue = catalogue
        self._cleaner = cleaner
        self._coupons = CouponBook(store, coupons)

    def names(self, rule: str, person: Person, profile: Profile, now_ms: int) -> dict[str, Any]:
        """Return `recommend` and `coupon` for one message; in a template they may raise `MissingFacts`."""

        def coupon(pool: object, fallback: object = "") -> object:
            try:
                return self._coupons.code(CouponRequest(str(pool), rule, person), now_ms)
            except PoolExhausted:
                if fallback:
                    return fallback
                raise

        return {"recommend": _recommend(self._recommender, person, profile, self._cleaner), "coupon": coupon}

    def read(self, missing: Sequence[MissingFacts], now_ms: int) -> None:
        """Read the facts that templates requested.

        Raises:
            WarehouseError: facts could not be read.

        Cost: as `Recommender.read` and `Catalogue.read` for each site that was requested, and as `CouponBook.give`.
        """
        _read_recommendations(self._recommender, missing, now_ms)
        sites = (each.request.site for each in missing if isinstance(each.request, CatalogueRequest))
        for site in dict.fromkeys(sites):
            self._catalogue.read(site, now_ms)
        coupons = [each.request for each in missing if isinstance(each.request, CouponRequest)]
        if coupons:
            self._coupons.give(coupons, now_ms)

    def outdated(self, now_ms: int) -> list[MissingFacts]:
        """Return requests for facts that are outdated: they are still used, and should be read again."""
        requests = [*self._recommender.outdated(now_ms), *self._catalogue.outdated(now_ms)]
        return [MissingFacts(request) for request in requests]


class PreviewFacts:
    """Answers templates of previews: a coupon that was not assigned yet is only an example.

    Args:
        queries: the database of events and coupon assignments.
        cleaner: cleans what pages told of products.
    """

    def __init__(self, queries: Queries, cleaner: FactCleaner) -> None:
        self._queries = queries
        self._recommender = Recommender(queries)
        self._cleaner = cleaner

    def names(self, rule: str, person: Person, profile: Profile, _now_ms: int) -> dict[str, Any]:
        """Return `recommend` and `coupon` for one message.

        Cost: one query for each coupon that the template asks for.
        """

        def coupon(pool: object, _fallback: object = "") -> str:
            request = CouponRequest(str(pool), rule, person)
            given = find_given(self._queries, request.pool, [request])
            return given.get(request, f"{request.pool}-EXAMPLE".upper())

        return {"recommend": _recommend(self._recommender, person, profile, self._cleaner), "coupon": coupon}

    def read(self, missing: Sequence[MissingFacts], now_ms: int) -> None:
        """Read the facts that templates requested.

        Raises:
            WarehouseError: facts could not be read.

        Cost: as `Recommender.read` for each site that was requested.
        """
        _read_recommendations(self._recommender, missing, now_ms)

    def outdated(self, _now_ms: int) -> list[MissingFacts]:
        """Return no request: a preview lives too short for facts to become outdated."""
        return []


def _recommend(recommender: Recommender, person: Person, profile: Profile, cleaner: FactCleaner) -> Recommend:
    return Recommend(
        lambda: recommender.recommendations(person.site),
        profile.cart,
        profile.order,
        profile.recently_viewed,
        lambda facts: cleaner.facts(person.site, facts),
    )


def _read_recommendations(recommender: Recommender, missing: Sequence[MissingFacts], now_ms: int) -> None:
    requests = [each.request for each in missing if isinstance(each.request, RecommendationRequest)]
    for request in dict.fromkeys(requests):
        recommender.read(request, now_ms)
