"""Find the person behind each visitor id, with every id that belongs to that person."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

import msgspec

from trigger_worker.store.statements import by_id, in_query_groups, statement
from warehouse.queries import Queries

#: An id may have been joined to an id that was joined to another, and so on; longer chains are cut here, and in the
#: view `people`. Each join is a query.
MAX_JOINS: Final = 128
#: Most ids that are joined to one id, the latest: an id such as "guest" that a shop gives to everybody is not to stop
#: the worker. Beside these as many under which somebody said no, the earliest.
MAX_ALIASES: Final = 100
#: Most ids of one person through all joins, the nearest, beside those under which somebody said no.
MAX_IDS: Final = 1_000


class Visitor(msgspec.Struct, frozen=True):
    """One anonymous or user id of a site, as events carry it."""

    site: str
    visitor_id: str


class Person(msgspec.Struct, frozen=True):
    """All ids of a site that belong together.

    Args:
        visitor_id: the user id, or the anonymous id of a visitor who never identified.
        ids: every id, `visitor_id` first.
    """

    site: str
    visitor_id: str
    ids: tuple[str, ...]


class Join(msgspec.Struct, frozen=True):
    """An anonymous id of a site that an event of `learned_at` (epoch ms) joined to a person."""

    site: str
    alias: str
    person: str
    learned_at: int


def find_people(queries: Queries, visitors: Iterable[Visitor], joins: Iterable[Join] = ()) -> dict[Visitor, Person]:
    """Return the person behind each visitor.

    Args:
        queries: the ClickHouse database with the identities.
        visitors: any ids.
        joins: joins that the database may not hold yet.

    Cost: for each group of some hundred ids of a site a look-up by key in `identity` for each join of the longest
    chain, and one more, whatever the table holds; one for people with `MAX_ALIASES` ids or more.
    """
    by_site: dict[str, list[Join]] = defaultdict(list)
    for join in joins:
        by_site[join.site].append(join)
    found: dict[Visitor, Person] = {}
    for site, ids in visitor_groups(visitors):
        found |= _find_group(_Links(queries, site, by_site.get(site, ())), site, ids)
    return found


def visitor_groups(visitors: Iterable[Visitor]) -> Iterator[tuple[str, list[str]]]:
    """Yield a site with ids of visitors on it, few enough for one query."""
    by_site: dict[str, set[str]] = defaultdict(set)
    for visitor in visitors:
        by_site[visitor.site].add(visitor.visitor_id)
    for site, ids in by_site.items():
        for group in in_query_groups(sorted(ids), by_id):
            yield site, group


def read_sites(queries: Queries, visitor_id: str) -> list[str]:
    """Return the sites that know an id, in alphabetical order.

    Cost: one query over all sites' `events` and `identity`; for commands, not for the loops.
    """
    return [site for (site,) in queries.query(statement("sites_of_visitor"), {"visitor": visitor_id})]


def _find_group(links: _Links, site: str, ids: list[str]) -> dict[Visitor, Person]:
    owners = _owners(links, ids)
    aliases = _aliases(links, set(owners.values()))
    people = {owner: Person(site, owner, (owner, *sorted(aliases[owner] - {owner}))) for owner in owners.values()}
    return {Visitor(site, visitor_id): people[owner] for visitor_id, owner in owners.items()}


class _Links:
    """The rows of `identity` about ids of a site: the person that each was joined to, and the ids joined to it.

    Both come with one query, and for a visitor of whom nothing is known it is the only query.
    """

    def __init__(self, queries: Queries, site: str, joins: Iterable[Join]) -> None:
        self._queries = queries
        self._site = site
        self._asked: set[str] = set()
        self._latest: dict[str, tuple[int, str]] = {}
        self.listed_under: dict[str, set[str]] = defaultdict(set)
        self.refusing: set[str] = set()
        for join in joins:
            self._note(join.alias, join.person, join.learned_at)
            self.listed_under[join.person].add(join.alias)

    def _note(self, alias: str, person: str, learned: int) -> None:
        self._latest[alias] = max((learned, person), self._latest.get(alias, (learned, person)))

    def ask(self, ids: Iterable[str]) -> None:
        """Read the links of ids, of each id only once."""
        for group in in_query_groups(sorted(set(ids) - self._asked), by_id):
            self._asked.update(group)
            parameters = {"site": self._site, "ids": group, "limit": MAX_ALIASES}
            rows: Counter[str] = Counter()
            for is_asked, alias, person, learned in self._queries.query(statement("identity_links"), parameters):
                rows[person] += 1
                if is_asked:
                    self._note(alias, person, learned)
                else:
                    self.listed_under[person].add(alias)
            crowded = [each for each in group if rows[each] >= MAX_ALIASES]
            if crowded:
                self.ask_refusing(crowded)

    def ask_refusing(self, persons: Collection[str]) -> None:
        """Read the ids under which somebody refused, of people with more ids than are read otherwise."""
        for group in in_query_groups(sorted(persons), by_id):
            parameters = {"site": self._site, "ids": group, "limit": MAX_ALIASES}
            for alias, person in self._queries.query(statement("refusing_aliases"), parameters):
                self.listed_under[person].add(alias)
                self.refusing.add(alias)

    def owner_of(self, asked: str) -> str | None:
        """Return the id that an id, asked about before, was joined to last; None when it was joined to nobody."""
        return self._latest[asked][1] if asked in self._latest else None


def _owners(links: _Links, ids: Iterable[str]) -> dict[str, str]:
    """Return the id at the end of each id's chain of joins."""
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
        listed = _listed(links, frontier, person_of, found)
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


def _listed(
    links: _Links, frontier: Collection[str], person_of: Mapping[str, str], found: Mapping[str, set[str]]
) -> set[str]:
    """Return the ids that were joined to some ids and are not known yet, as far as their people may have more.

    Args:
        links: those of the ids.
        frontier: the ids.
        person_of: the person of every id that is known.
        found: the ids that each person has by now.
    """
    ids_of: dict[str, set[str]] = defaultdict(set)
    for each in frontier:
        ids_of[person_of[each]].add(each)
    listed: set[str] = set()
    for person, ids in ids_of.items():
        theirs = set().union(*(links.listed_under[each] for each in ids)) - person_of.keys()
        room = max(0, MAX_IDS - len(found.get(person, ())))
        if len(theirs) > room:
            links.ask_refusing(ids)
            refusing = sorted(theirs & links.refusing)[:MAX_ALIASES]
            theirs = {*refusing, *sorted(theirs - links.refusing)[:room]}
        listed |= theirs
    return listed
