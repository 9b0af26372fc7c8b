"""What templates may ask for beyond what is known of a message: recommendations and coupons."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trigger_worker.deciding.recipient.profile import Profile
from trigger_worker.delivery.content.engine import MissingFacts
from trigger_worker.delivery.offers.coupon_book import CouponBook, CouponRequest, Store
from trigger_worker.delivery.offers.coupon_pool import PoolExhausted
from trigger_worker.delivery.offers.recommendations import Recommend, RecommendationRequest, Recommender
from trigger_worker.store.people import Person


class OfferFacts:
    """Answers templates out of memory; what is not there is read between two renderings, for all messages at once.

    Args:
        store: where events and coupons are.
        coupons: the folder of coupon pools.
    """

    def __init__(self, store: Store, coupons: Path) -> None:
        self._recommender = Recommender(store)
        self._desk = CouponBook(store, coupons)

    def names(self, rule: str, person: Person, profile: Profile, now_ms: int) -> dict[str, Any]:
        """Return `recommend` and `coupon` for one message; in a template they may raise `MissingFacts`."""

        def coupon(pool: object, fallback: object = "") -> object:
            try:
                return self._desk.code(CouponRequest(str(pool), rule, person), now_ms)
            except PoolExhausted:
                if fallback:
                    return fallback
                raise

        recommend = Recommend(
            lambda: self._recommender.shelf(person.site), profile.cart, profile.order, profile.recently_viewed
        )
        return {"recommend": recommend, "coupon": coupon}

    def read(self, missing: Sequence[MissingFacts], now_ms: int) -> None:
        """Read what templates asked for.

        Raises:
            WarehouseError: some of it could not be read.
        """
        for shelf in dict.fromkeys(each.wish for each in missing if isinstance(each.wish, RecommendationRequest)):
            self._recommender.read(shelf, now_ms)
        coupons = [each.wish for each in missing if isinstance(each.wish, CouponRequest)]
        if coupons:
            self._desk.give(coupons, now_ms)

    def outdated(self, now_ms: int) -> list[MissingFacts]:
        """Return what is old: it still serves, and is to be read anew when there is time."""
        return [MissingFacts(wish) for wish in self._recommender.outdated(now_ms)]
