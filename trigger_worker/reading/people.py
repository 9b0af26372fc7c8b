"""Which ids are one person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from trigger_worker.reading.feed import PACKAGE, Visitor
from trigger_worker.reading.groups import in_groups, itself
from warehouse.queries import Queries
from warehouse.sql import read_sql

#: An id may have been joined to one that was joined to another; longer chains are cut here.
MAX_JOINS: Final = 4
#: Most ids of one person, the latest: an id such as "guest" that a shop gives to everybody is not to stop the worker.
MAX_ALIASES: Final = 100


class Person(msgspec.Struct, frozen=True):
    """A visitor under the id that is theirs now, with every id their events carry.

    Args:
        visitor_id: the person's id, or the anonymous id of a visitor nobody knows.
        ids: all of theirs, that one first.
    """

    site: str
    visitor_id: str
    ids: tuple[str, ...]


def find_people(warehouse: Queries, visitors: Iterable[Visitor]) -> dict[Visitor, Person]:
    """Return the person behind each id.

    Cost: a few key look-ups in `identity`, whatever it holds.
    """
    by_site: dict[str, set[str]] = defaultdict(set)
    for visitor in visitors:
        by_site[visitor.site].add(visitor.visitor_id)
    found: dict[Visitor, Person] = {}
    for site, ids in by_site.items():
        for group in in_groups(sorted(ids), itself):
            found |= _find_group(warehouse, site, group)
    return found


def _find_group(warehouse: Queries, site: str, ids: list[str]) -> dict[Visitor, Person]:
    owners = _owners(warehouse, site, ids)
    aliases = _aliases(warehouse, site, set(owners.values()))
    people = {owner: Person(site, owner, (owner, *sorted(aliases[owner] - {owner}))) for owner in owners.values()}
    return {Visitor(site, visitor_id): people[owner] for visitor_id, owner in owners.items()}


def _owners(warehouse: Queries, site: str, ids: list[str]) -> dict[str, str]:
    """Return whom each id belongs to at the end of its chain of joins."""
    joins: dict[str, str] = {}
    unresolved = set(ids)
    for _ in range(MAX_JOINS):
        sql = read_sql(PACKAGE, "persons")
        found: dict[str, str] = dict(warehouse.query(sql, {"site": site, "ids": sorted(unresolved)}))
        joins |= found
        unresolved = set(found.values()) - joins.keys()
        if not unresolved:
            break
    return {visitor_id: _end_of(visitor_id, joins) for visitor_id in ids}


def _end_of(visitor_id: str, joins: Mapping[str, str]) -> str:
    """Follow the joins of an id; ids that were joined in a circle are one person, under the first of them."""
    chain = [visitor_id]
    while chain[-1] in joins:
        following = joins[chain[-1]]
        if following in chain:
            return min(chain[chain.index(following) :])
        chain.append(following)
    return chain[-1]


def _aliases(warehouse: Queries, site: str, persons: set[str]) -> dict[str, set[str]]:
    """Return every id of each person, through chains of joins."""
    found: dict[str, set[str]] = defaultdict(set)
    person_of = {person: person for person in persons}
    frontier = set(persons)
    for _ in range(MAX_JOINS):
        rows = [
            row
            for group in in_groups(sorted(frontier), itself)
            for row in warehouse.query(read_sql(PACKAGE, "aliases"), {"site": site, "ids": group, "limit": MAX_ALIASES})
        ]
        fresh = {alias: person_of[owner] for alias, owner in rows if alias not in person_of}
        for alias, person in fresh.items():
            found[person].add(alias)
        person_of |= fresh
        frontier = set(fresh)
        if not frontier:
            break
    return found
