"""Read and store coupon codes: the codes that people were given, and the codes of a pool that are used up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec

from trigger_worker.store.people import Person
from trigger_worker.store.people_queries import for_people
from trigger_worker.store.records import insert_rows
from trigger_worker.store.statements import statement
from warehouse.event import format_time
from warehouse.queries import Inserts, Queries


class CouponStore(Queries, Inserts, Protocol):
    """The ClickHouse database with the assignments of codes and the purchases that redeemed codes."""


class CouponAssignment(msgspec.Struct, frozen=True):
    """A code of a pool that a rule gives a person."""

    pool: str
    rule: str
    person: Person
    code: str


def read_given(queries: Queries, pool: str, people: Iterable[Person]) -> dict[tuple[Person, str], str]:
    """Return the codes of a pool that people were given, by person and rule, under whichever of the person's ids.

    Of several codes of one rule, which an id joined later may bring, the first counts.

    Cost: one query for each group of some hundred people, over their own codes, found by the key.
    """
    first: dict[tuple[Person, str], tuple[int, str]] = {}
    for person, (rule, at, code) in for_people(queries, people, statement("given"), {"pool": pool}):
        first[person, rule] = min((at, code), first.get((person, rule), (at, code)))
    return {asked: code for asked, (_, code) in first.items()}


def read_taken(queries: Queries, site: str, pool: str) -> set[str]:
    """Return the codes of a pool that nobody can get any more: assigned already, or redeemed by a purchase.

    Cost: one query over the pool's codes and all purchases of the site.
    """
    return {code for (code,) in queries.query(statement("taken"), {"site": site, "pool": pool})}


def store_assignments(inserts: Inserts, assignments: Iterable[CouponAssignment], now_ms: int) -> None:
    """Store assignments of codes, made at `now_ms` (epoch ms).

    Cost: one insert; none without assignments.
    """
    rows = (
        {
            "site": assigned.person.site,
            "pool": assigned.pool,
            "rule": assigned.rule,
            "visitor_id": assigned.person.visitor_id,
            "code": assigned.code,
            "assigned_at": format_time(now_ms),
        }
        for assigned in assignments
    )
    insert_rows(inserts, "coupon_assignments", rows)
