"""Read the SQL statements of this folder, and split their parameters into groups that fit into one query."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

from warehouse.queries import read_sql

T = TypeVar("T")

_PACKAGE: Final = "trigger_worker.store"
#: Most items in one query.
MAX_ITEMS: Final = 500
#: Most bytes of ids in one query: ClickHouse refuses a parameter of more than 128 KiB, and pages choose their ids.
MAX_BYTES: Final = 60_000


def statement(name: str, **parts: str) -> str:
    """Return the text of `sql/<name>.sql`, with a part in place of each mark, such as `/* columns */`.

    Args:
        name: the file's name without its ending.
        parts: by mark, SQL made of our own column names and of bound parameters, never of values.

    Raises:
        FileNotFoundError: there is no such statement.
    """
    sql = read_sql(_PACKAGE, name)
    for mark, part in parts.items():
        sql = sql.replace(f"/* {mark} */", part)
    return sql


def in_query_groups(items: Iterable[T], ids_of: Callable[[T], Iterable[str]]) -> Iterator[list[T]]:
    """Split items, in their order, so that the ids of each group fit into one parameter of a query.

    Args:
        items: the items to split; an item that is too large alone is a group of its own.
        ids_of: returns the ids of an item.
    """
    group: list[T] = []
    size = 0
    for item in items:
        weight = sum(len(name.encode()) for name in ids_of(item))
        if group and (len(group) == MAX_ITEMS or size + weight > MAX_BYTES):
            yield group
            group, size = [], 0
        group.append(item)
        size += weight
    if group:
        yield group


def by_id(name: str) -> tuple[str]:
    """Return the ids of an item that is itself an id."""
    return (name,)
