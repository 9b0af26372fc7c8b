"""Which ids are one person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import msgspec

from trigger_worker.reading.feed import PACKAGE, Visitor
from warehouse.connection import Warehouse
from warehouse.sql import read_sql

#: An id may have been joined to one that was joined to another; longer chains are cut here.
MAX_JOINS: Final = 4


class Person(msgspec.Struct, frozen=True):
    """A visitor under the id that is theirs now, with every id their events carry.

    Args:
        visitor_id: the person's id, or the anonymous id of a visitor nobody knows.
        ids: all of theirs, that one first.
    """

    site: str
    visitor_id: str
    ids: tuple[str, ...]


def find_people(warehouse: Warehouse, visitors: Iterable[Visitor]) -> dict[Visitor, Person]:
    """Return the person behind each id.

    Cost: a few key look-ups in `identity`, whatever it holds.
    """
    by_site: dict[str, set[str]] = defaultdict(set)
    for visitor in visitors:
        by_site[visitor.site].add(visitor.visitor_id)
    found: dict[Visitor, Person] = {}
    for site, ids in by_site.items():
        owners = _owners(warehouse, site, ids)
        aliases = _aliases(warehouse, site, set(owners.values()))
        for visitor_id, owner in owners.items():
            own = aliases.get(owner, set()) - {owner}
            found[Visitor(site, visitor_id)] = Person(site, owner, (owner, *sorted(own)))
    return found


def _owners(warehouse: Warehouse, site: str, ids: set[str]) -> dict[str, str]:
    """Return whom each id belongs to at the end of its chain of joins."""
    owners = {visitor_id: visitor_id for visitor_id in ids}
    unresolved = set(ids)
    for _ in range(MAX_JOINS):
        joined: dict[str, str] = dict(
            warehouse.query(read_sql(PACKAGE, "persons"), {"site": site, "ids": sorted(unresolved)})
        )
        owners = {visitor_id: joined.get(owner, owner) for visitor_id, owner in owners.items()}
        unresolved = set(joined.values()) - unresolved
        if not unresolved:
            break
    return owners


def _aliases(warehouse: Warehouse, site: str, persons: set[str]) -> dict[str, set[str]]:
    """Return every id of each person, through chains of joins."""
    found: dict[str, set[str]] = defaultdict(set)
    person_of = {person: person for person in persons}
    frontier = set(persons)
    for _ in range(MAX_JOINS):
        rows = warehouse.query(read_sql(PACKAGE, "aliases"), {"site": site, "ids": sorted(frontier)})
        fresh = {alias: person_of[owner] for alias, owner in rows if alias not in person_of}
        for alias, person in fresh.items():
            found[person].add(alias)
        person_of |= fresh
        frontier = set(fresh)
        if not frontier:
            break
    return found
