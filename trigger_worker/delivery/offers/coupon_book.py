"""Assigns coupon codes: one code per person, rule and pool, no code twice, and all of it over restarts, too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from trigger_worker.delivery.content.engine import FactRequest, MissingFacts
from trigger_worker.delivery.offers.coupon_pool import CouponError, PoolExhausted, read_pool, take
from trigger_worker.store.coupons import CouponAssignment, CouponStore, read_given, read_taken, store_assignments
from trigger_worker.store.people import Person
from warehouse.queries import Queries

#: How long a code that was redeemed without having been assigned may go unnoticed, in ms.
_TAKEN_FRESH_MS: Final = 15 * 60_000
#: Most assigned codes that are kept in memory until their messages are rendered.
_REMEMBERED: Final = 10_000


class CouponRequest(FactRequest, frozen=True):
    """The request of a template for the code that a rule gives a person from a pool."""

    pool: str
    rule: str
    person: Person


class CouponBook:
    """Finds and assigns the codes that templates request.

    Args:
        store: the database of assignments and of purchases, which redeem codes.
        folder: the folder of the pools.
    """

    def __init__(self, store: CouponStore, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._given: dict[CouponRequest, str] = {}
        self._refused: dict[CouponRequest, tuple[int, CouponError]] = {}
        self._taken: dict[tuple[str, str], tuple[int, set[str]]] = {}

    def code(self, request: CouponRequest, now_ms: int) -> str:
        """Return the code of a person and a rule.

        Args:
            request: the request.
            now_ms: the instant of sending, epoch ms.

        Raises:
            MissingFacts: the code has to be found or assigned first, at this instant.
            CouponError: at this instant no code could be assigned; the error says why.
        """
        if request in self._given:
            return self._given[request]
        refused_at, error = self._refused.get(request, (-1, CouponError("")))
        if refused_at == now_ms:
            raise error
        # A request that was refused before may be repeated, because codes are added to files.
        raise MissingFacts(request)

    def give(self, requests: Iterable[CouponRequest], now_ms: int) -> None:
        """Find the codes that were assigned before, and assign further ones, which are stored before they are returned.

        Args:
            requests: the requests of templates.
            now_ms: the instant of sending, epoch ms.

        Raises:
            WarehouseError: no code was assigned.

        Cost: two queries and one insert for each pool, however many requests name it.
        """
        self._refused = {request: refused for request, refused in self._refused.items() if refused[0] == now_ms}
        by_pool: dict[tuple[str, str], list[CouponRequest]] = defaultdict(list)
        for request in dict.fromkeys(requests):
            by_pool[request.person.site, request.pool].append(request)
        for (site, pool), asked in by_pool.items():
            self._given |= find_given(self._store, pool, asked)
            lacking = [request for request in asked if request not in self._given]
            try:
                self._choose(site, pool, lacking, now_ms)
            except CouponError as error:
                self._refused |= {request: (now_ms, error) for request in lacking if request not in self._given}
        while len(self._given) > _REMEMBERED:
            self._given.pop(next(iter(self._given)))

    def _choose(self, site: str, pool: str, requests: Sequence[CouponRequest], now_ms: int) -> None:
        if not requests:
            return
        source, taken = read_pool(self._folder, pool), self._taken_of(site, pool, now_ms)
        codes = take(source, taken, len(requests))
        chosen = dict(zip(requests, codes, strict=False))
        assigned = [CouponAssignment(pool, request.rule, request.person, code) for request, code in chosen.items()]
        store_assignments(self._store, assigned, now_ms)
        taken.update(codes)
        self._given |= chosen
        if len(chosen) < len(requests):
            raise PoolExhausted(
                f"the coupon pool {pool} has no code left", f'add codes to it, or write coupon("{pool}", "FALLBACK")'
            )

    def _taken_of(self, site: str, pool: str, now_ms: int) -> set[str]:
        """Return the codes that are assigned or redeemed, read again every 15 minutes."""
        read_at, taken = self._taken.get((site, pool), (None, set()))
        if read_at is None or now_ms - read_at >= _TAKEN_FRESH_MS:
            taken = read_taken(self._store, site, pool)
            self._taken[site, pool] = (now_ms, taken)
        return taken


def find_given(queries: Queries, pool: str, requests: Iterable[CouponRequest]) -> dict[CouponRequest, str]:
    """Return the codes that were assigned before, by request.

    Args:
        queries: the database of assignments.
        pool: the pool of all requests.
        requests: the requests; a request without a code yet is left out.

    Cost: as `read_given`.
    """
    asked = list(requests)
    given = read_given(queries, pool, dict.fromkeys(request.person for request in asked))
    found = {request: given.get((request.person, request.rule)) for request in asked}
    return {request: code for request, code in found.items() if code is not None}
