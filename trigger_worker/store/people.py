"""Which ids are one person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from trigger_worker.store.feed import PACKAGE, Visitor
from trigger_worker.store.groups import by_id, in_query_groups
from warehouse.queries import Queries, read_sql

#: An id may have been joined to one that was joined to another; longer chains are cut here.
MAX_JOINS: Final = 4
#: Most ids of one person, the latest: an id such as "guest" that a shop gives to everybody is not to stop the worker.
MAX_ALIASES: Final = 100


_LINKS: Final = read_sql(PACKAGE, "identity_links")


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
        for group in in_query_groups(sorted(ids), by_id):
            found |= _find_group(warehouse, site, group)
    return found


def _find_group(warehouse: Queries, site: str, ids: list[str]) -> dict[Visitor, Person]:
    links = _Links(warehouse, site)
    owners = _owners(links, ids)
    aliases = _aliases(links, set(owners.values()))
    people = {owner: Person(site, owner, (owner, *sorted(aliases[owner] - {owner}))) for owner in owners.values()}
    return {Visitor(site, visitor_id): people[owner] for visitor_id, owner in owners.items()}


class _Links:
    """What `identity` says of ids of a site: whom each was joined to, and which ids were joined to it.

    Both come with one query, and for a visitor of whom nothing is known it is the only one.
    """

    def __init__(self, warehouse: Queries, site: str) -> None:
        self._warehouse = warehouse
        self._site = site
        self._asked: set[str] = set()
        self._latest: dict[str, tuple[int, str]] = {}
        self.listed_under: dict[str, set[str]] = defaultdict(set)

    def ask(self, ids: Iterable[str]) -> None:
        """Learn about ids, about each only once."""
        for group in in_query_groups(sorted(set(ids) - self._asked), by_id):
            self._asked.update(group)
            parameters = {"site": self._site, "ids": group, "limit": MAX_ALIASES}
            for is_asked, alias, person, learned in self._warehouse.query(_LINKS, parameters):
                if is_asked:
                    self._latest[alias] = max((learned, person), self._latest.get(alias, (learned, person)))
                else:
                    self.listed_under[person].add(alias)

    def owner_of(self, asked: str) -> str | None:
        """Return whom an id that was asked about belongs to, if it was joined to anybody."""
        return self._latest[asked][1] if asked in self._latest else None


def _owners(links: _Links, ids: Iterable[str]) -> dict[str, str]:
    """Return whom each id belongs to at the end of its chain of joins."""
    joins: dict[str, str] = {}
    unresolved = set(ids)
    for _ in range(MAX_JOINS):
        links.ask(unresolved)
        found = {alias: owner for alias in unresolved if (owner := links.owner_of(alias)) is not None}
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


def _aliases(links: _Links, persons: set[str]) -> dict[str, set[str]]:
    """Return every id of each person, through chains of joins."""
    found: dict[str, set[str]] = defaultdict(set)
    person_of = {person: person for person in persons}
    frontier = set(persons)
    for _ in range(MAX_JOINS):
        links.ask(frontier)
        listed = {alias for person in frontier for alias in links.listed_under[person]} - person_of.keys()
        # Whether each still belongs there is the same question as what belongs to it, the next time round.
        links.ask(listed)
        owners = {alias: links.owner_of(alias) for alias in listed}
        fresh = {alias: person_of[owner] for alias, owner in owners.items() if owner in frontier}
        for alias, person in fresh.items():
            found[person].add(alias)
        person_of |= fresh
        frontier = set(fresh)
        if not frontier:
            break
    return found
