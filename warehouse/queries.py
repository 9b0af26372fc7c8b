"""Asking ClickHouse and telling it, whoever holds it: this process, or one that answers for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Protocol

from warehouse.connection import Row


class Queries(Protocol):
    """Whatever answers a query with rows."""

    def query(self, sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        """Return the rows that a statement selects; `{name:Type}` in it are bound, never pasted.

        Raises:
            WarehouseError: ClickHouse refused the statement, or cannot answer just now.
        """


class Inserts(Protocol):
    """Whatever takes rows."""

    def insert_lines(self, table: str, lines: bytes, token: str) -> None:
        """Insert rows given as JSON objects, one a line, at most once for a token.

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
