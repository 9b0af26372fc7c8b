"""Databases of one engine for tests: with the whole schema and no rows, or not made yet.

A database with the schema costs a hundred and fifty milliseconds to migrate and five to empty. So a test gets one that
another test is through with, emptied, unless that test changed its tables.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Final
from urllib.parse import urlsplit

from warehouse.connection import Row, connect
from warehouse.migrations import migrate

#: Two runs on one server, as two processes of one run are, keep out of each other's databases.
_RUN: Final = os.environ.get("PYTEST_XDIST_WORKER", "main")
_numbers: Final = count(1)
_MIGRATIONS: Final = "schema_migrations"
_TABLES: Final = """
SELECT name, create_table_query, ifNull(parts, 0) > 0 AS was_written, ifNull(total_rows, 0) AS total_rows
FROM system.tables
WHERE database = {database:String}
ORDER BY name
"""

#: How each table is made, and how many migrations are recorded.
Schema = tuple[dict[str, str], int]


class Databases:
    """Makes databases on one engine, and lends those with the schema again.

    Args:
        engine: the engine's data source name, without a database.
    """

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._server = connect(engine)
        self._made: list[str] = []
        # The one that was given back first goes out first: what a test left running has most time to end.
        self._free: deque[str] = deque()
        self._schema: Schema | None = None

    def close(self) -> None:
        """Drop every database, and let go of the engine."""
        for name in self._made:
            self._drop(name)
        self._server.close()

    @contextmanager
    def lent(self) -> Iterator[str]:
        """Lend a database with the whole schema and no rows; yield its data source name."""
        name = self._emptied() or self._migrated()
        try:
            yield self._dsn(name)
        finally:
            self._free.append(name)

    @contextmanager
    def unmade(self) -> Iterator[str]:
        """Yield the data source name of a database that is not there yet, and drop it afterwards."""
        name = self._name()
        try:
            yield self._dsn(name)
        finally:
            self._drop(name)

    def _emptied(self) -> str:
        """Return a database that was given back, without the rows in it; empty when there is none of use."""
        while self._free:
            name = self._free.popleft()
            tables = self._server.query(_TABLES, {"database": name})
            if self._schema == _schema(name, tables):
                # A test may have stopped them, and no mutation ends without.
                self._server.command("SYSTEM START MERGES")
                for table, _, was_written, _ in tables:
                    if was_written and table != _MIGRATIONS:
                        # Forgets the tokens of inserts as well.
                        self._server.command(f"TRUNCATE TABLE {name}.{table}")
                return name
            self._drop(name)
        return ""

    def _migrated(self) -> str:
        name = self._name()
        with connect(self._dsn(name)) as warehouse:
            migrate(warehouse)
        self._made.append(name)
        self._schema = _schema(name, self._server.query(_TABLES, {"database": name}))
        return name

    def _drop(self, name: str) -> None:
        self._server.command(f"DROP DATABASE IF EXISTS {name}")

    def _name(self) -> str:
        return f"test_{_RUN}_{next(_numbers)}"

    def _dsn(self, name: str) -> str:
        parts = urlsplit(self._engine)
        here = parts._replace(query=f"database={name}") if parts.scheme == "chdb" else parts._replace(path=f"/{name}")
        return here.geturl()


@contextmanager
def databases_of(engine: str) -> Iterator[Databases]:
    """Make databases on an engine until the block ends."""
    databases = Databases(engine)
    try:
        yield databases
    finally:
        databases.close()


def _schema(database: str, tables: Sequence[Row]) -> Schema:
    """Return what is the same of every database that nobody changed."""
    statements = {table: statement.replace(f"{database}.", "") for table, statement, *_ in tables}
    return statements, next((rows for table, _, _, rows in tables if table == _MIGRATIONS), 0)
