"""Gives out coupon codes: one for a visitor and a rule, at most once each, also over restarts."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from trigger_worker.delivery.content.engine import MissingFacts
from trigger_worker.delivery.offers.coupon_pool import CouponError, PoolExhausted, read_pool, take
from trigger_worker.store.people import Person
from warehouse.event import format_time
from warehouse.queries import Inserts, Queries, read_sql

PACKAGE: Final = "trigger_worker.delivery.offers"
#: How long codes that somebody used without having been given them may go unnoticed.
_TAKEN_FRESH_MS: Final = 15 * 60_000
#: Most codes that are remembered until their messages are rendered.
_REMEMBERED: Final = 10_000


class Store(Queries, Inserts, Protocol):
    """Where assignments are."""


class CouponRequest(msgspec.Struct, frozen=True):
    """Asks for the code that a rule gives a person out of a pool."""

    pool: str
    rule: str
    person: Person


class CouponBook:
    """Codes, by what asked for them.

    Args:
        store: where assignments are, and purchases that redeemed codes.
        folder: where the pools are.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._given: dict[CouponRequest, str] = {}
        self._refused: dict[CouponRequest, tuple[int, CouponError]] = {}
        self._taken: dict[tuple[str, str], tuple[int, set[str]]] = {}

    def code(self, wish: CouponRequest, now_ms: int) -> str:
        """Return the code of a person and a rule.

        Raises:
            MissingFacts: it has to be looked for first, at this instant.
            CouponError: there is none, and why.
        """
        if wish in self._given:
            return self._given[wish]
        refused_at, error = self._refused.get(wish, (-1, CouponError("")))
        if refused_at == now_ms:
            raise error
        # Who was refused before may ask again: codes are added to files.
        raise MissingFacts(wish)

    def give(self, wishes: Iterable[CouponRequest], now_ms: int) -> None:
        """Find or choose the codes that are asked for, and store those that are new before anybody sees them.

        Cost: two queries and one insert for each pool, however many ask.

        Raises:
            WarehouseError: nothing is given out.
        """
        self._refused = {wish: refused for wish, refused in self._refused.items() if refused[0] == now_ms}
        by_pool: dict[tuple[str, str], list[CouponRequest]] = defaultdict(list)
        for wish in dict.fromkeys(wishes):
            by_pool[wish.person.site, wish.pool].append(wish)
        for (site, pool), asked in by_pool.items():
            self._given |= find_given(self._store, site, pool, asked)
            lacking = [wish for wish in asked if wish not in self._given]
            try:
                self._choose(site, pool, lacking, now_ms)
            except CouponError as error:
                self._refused |= {wish: (now_ms, error) for wish in lacking if wish not in self._given}
        while len(self._given) > _REMEMBERED:
            self._given.pop(next(iter(self._given)))

    def _choose(self, site: str, pool: str, wishes: Sequence[CouponRequest], now_ms: int) -> None:
        if not wishes:
            return
        source, taken = read_pool(self._folder, pool), self._taken_of(site, pool, now_ms)
        codes = take(source, taken, len(wishes))
        chosen = dict(zip(wishes, codes, strict=False))
        self._record(chosen, now_ms)
        taken.update(codes)
        self._given |= chosen
        if len(chosen) < len(wishes):
            raise PoolExhausted(
                f"the coupon pool {pool} has no code left", f'add codes to it, or write coupon("{pool}", "FALLBACK")'
            )

    def _taken_of(self, site: str, pool: str, now_ms: int) -> set[str]:
        """Return the codes nobody can get; which were used elsewhere is looked up now and then."""
        read_at, taken = self._taken.get((site, pool), (None, set()))
        if read_at is None or now_ms - read_at >= _TAKEN_FRESH_MS:
            rows = self._store.query(read_sql(PACKAGE, "taken"), {"site": site, "pool": pool})
            taken = {code for (code,) in rows}
            self._taken[site, pool] = (now_ms, taken)
        return taken

    def _record(self, chosen: dict[CouponRequest, str], now_ms: int) -> None:
        rows = [
            {
                "site": wish.person.site,
                "pool": wish.pool,
                "rule": wish.rule,
                "visitor_id": wish.person.visitor_id,
                "code": code,
                "assigned_at": format_time(now_ms),
            }
            for wish, code in chosen.items()
        ]
        lines = b"\n".join(map(msgspec.json.encode, rows))
        if lines:
            self._store.insert_lines("coupon_assignments", lines, hashlib.sha256(lines).hexdigest())


def find_given(queries: Queries, site: str, pool: str, wishes: Iterable[CouponRequest]) -> dict[CouponRequest, str]:
    """Return the codes that were given out before, under whichever id the person had then."""
    asked = list(wishes)
    ids = sorted({visitor_id for wish in asked for visitor_id in wish.person.ids})
    rows = queries.query(read_sql(PACKAGE, "given"), {"site": site, "pool": pool, "ids": ids})
    codes = {(visitor_id, rule): (at, code) for visitor_id, rule, at, code in rows}
    found: dict[CouponRequest, str] = {}
    for wish in asked:
        theirs = [codes[visitor_id, wish.rule] for visitor_id in wish.person.ids if (visitor_id, wish.rule) in codes]
        if theirs:
            found[wish] = min(theirs)[1]
    return found
