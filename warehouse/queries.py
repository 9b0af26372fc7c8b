"""The interfaces through which code queries ClickHouse and inserts rows, and the loader of `.sql` files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Protocol

from warehouse.connection import Row


class Queries(Protocol):
    """An object that answers queries: ClickHouse in this process, or a process that answers for it."""

    def query(self, sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        """Return the rows that a statement selects; `{name:Type}` in it are bound, never pasted.

        Cost: that of the statement; its owner says it.

        Raises:
            WarehouseError: ClickHouse refused the statement, or cannot answer just now.
        """


class Inserts(Protocol):
    """An object that inserts rows: ClickHouse in this process, or a process that takes them for it."""

    def insert_lines(self, table: str, lines: bytes, token: str) -> None:
        """Insert rows given as JSON objects, one a line, at most once for a token.

        Cost: one insert of one block.

        Raises:
            WarehouseError: ClickHouse refused the rows, or cannot answer just now.
        """


@cache
def read_sql(package: str, name: str) -> str:
    """Return the statement in `sql/<name>.sql` of a package.

    Args:
        package: dotted name of the package that owns the statement.
        name: the file's name without its ending.

    Raises:
        FileNotFoundError: the package has no such statement.
    """
    return files(package).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
