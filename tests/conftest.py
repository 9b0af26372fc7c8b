"""ClickHouse for every suite: the embedded engine and a real listener, a fresh database for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from urllib.parse import urlsplit

import pytest
from hypothesis import settings

from tests.listener.process import running_listener
from warehouse.connection import Warehouse, connect
from warehouse.migrations import migrate

# A slow machine is no failure; and what a check on a server finds, the next run there must find as well.
settings.register_profile("default", deadline=None)
settings.register_profile("server", deadline=None, derandomize=True)
settings.load_profile("server" if os.environ.get("CI") else "default")

_numbers = count(1)


@pytest.fixture(scope="session")
def listener() -> Iterator[str]:
    """The data source name of a running listener; it names no database."""
    with running_listener() as dsn:
        yield dsn


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The data source name of the embedded engine, which opens one folder in a process and stays open between tests."""
    dsn = f"chdb://{tmp_path_factory.mktemp('clickhouse')}"
    with connect(dsn) as keeper:
        keeper.query("SELECT 1")
        yield dsn


@pytest.fixture(params=["embedded", pytest.param("listener", marks=pytest.mark.listener)])
def engine(request: pytest.FixtureRequest) -> str:
    """The data source name of each engine in turn, without a database."""
    dsn: str = request.getfixturevalue(request.param)
    return dsn


@pytest.fixture
def dsn(engine: str) -> Iterator[str]:
    """The data source name of a database that is not there yet, on each engine in turn."""
    yield from _database(engine)


@pytest.fixture
def warehouse(dsn: str) -> Iterator[Warehouse]:
    """A database with the whole schema and no rows, on each engine in turn."""
    yield from _migrated(dsn)


@pytest.fixture
def embedded_warehouse(embedded: str) -> Iterator[Warehouse]:
    """A database with the whole schema and no rows, on the embedded engine: for what does not depend on the engine."""
    for dsn in _database(embedded):
        yield from _migrated(dsn)


def _migrated(dsn: str) -> Iterator[Warehouse]:
    with connect(dsn) as warehouse:
        migrate(warehouse)
        yield warehouse


def _database(engine: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    parts = urlsplit(engine)
    here = parts._replace(query=f"database={name}") if parts.scheme == "chdb" else parts._replace(path=f"/{name}")
    yield here.geturl()
    with connect(engine) as cleaner:
        cleaner.command(f"DROP DATABASE IF EXISTS {name}")
