"""Ask ClickHouse one question about many people: by site, in groups that fit into one query, answered by person.

This is the only place that knows how the people of a question are spread over queries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Self, TypeVar

import msgspec

from trigger_worker.store.people import Person
from trigger_worker.store.statements import in_query_groups
from warehouse.connection import Row
from warehouse.queries import Queries

T = TypeVar("T")


class PeopleGroup(msgspec.Struct, frozen=True):
    """People of one site, few enough for one query.

    Args:
        site: the site.
        owners: by visitor id, the person whom it belongs to.
    """

    site: str
    owners: Mapping[str, Person]

    @classmethod
    def of(cls, people: Iterable[Person]) -> Self:
        """Return the group of some people of one site, of at least one person."""
        owners = {visitor_id: person for person in people for visitor_id in person.ids}
        return cls(next(iter(owners.values())).site, owners)

    @property
    def people(self) -> list[Person]:
        """The people, each once."""
        return list(dict.fromkeys(self.owners.values()))

    @property
    def ids(self) -> list[str]:
        """Every id of the people."""
        return list(self.owners)

    @property
    def persons(self) -> list[str]:
        """The person's own id for each of `ids`, so that a statement can tell people apart."""
        return [person.visitor_id for person in self.owners.values()]

    def ask(self, queries: Queries, sql: str, parameters: Mapping[str, object]) -> Iterator[tuple[Person, Row]]:
        """Yield each row of a statement about the group, its first column, a visitor id, turned into the person.

        Args:
            queries: the ClickHouse database.
            sql: a statement with the parameters `site` and `ids`, and `persons` if it needs to tell people apart.
            parameters: the statement's other parameters.

        Cost: one query.
        """
        about: dict[str, object] = {"site": self.site, "ids": self.ids}
        if "{persons:" in sql:
            about["persons"] = self.persons
        for visitor_id, *values in queries.query(sql, {**parameters, **about}):
            yield self.owners[visitor_id], tuple(values)


def for_people(
    queries: Queries, people: Iterable[Person], sql: str, parameters: Mapping[str, object]
) -> Iterator[tuple[Person, Row]]:
    """Yield each row of a statement about people, its first column, a visitor id, turned into the person.

    Args:
        queries: the ClickHouse database.
        people: of any sites, any number.
        sql: a statement with the parameters `site` and `ids`, and `persons` if it needs to tell people apart.
        parameters: the statement's other parameters.

    Cost: one query for each group of some hundred people of a site.
    """
    for group in people_groups(people):
        yield from group.ask(queries, sql, parameters)


def people_groups(people: Iterable[Person]) -> Iterator[PeopleGroup]:
    """Yield the people, site by site, in groups that fit into one query."""
    return (group for group, _ in item_groups(((person, None) for person in people), lambda _: ()))


def item_groups(
    items: Iterable[tuple[Person, T]], ids_of: Callable[[T], Iterable[str]]
) -> Iterator[tuple[PeopleGroup, list[T]]]:
    """Yield the people of items with the items, site by site, in groups that fit into one query.

    Args:
        items: things such as events, each with the person whom it belongs to.
        ids_of: returns the ids of an item that go into the query beside those of its person.
    """
    by_site: dict[str, list[tuple[Person, T]]] = defaultdict(list)
    for person, item in items:
        by_site[person.site].append((person, item))
    for pairs in by_site.values():
        for group in in_query_groups(pairs, lambda pair: (*pair[0].ids, *ids_of(pair[1]))):
            yield PeopleGroup.of(person for person, _ in group), [item for _, item in group]
