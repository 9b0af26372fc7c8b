"""ClickHouse for every suite: the embedded engine and a real listener, an empty database for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import settings

from tests.databases import Databases, databases_of
from tests.listener.process import running_listener
from tests.order import begin_with
from tests.scratch import scratch_folder
from warehouse.connection import Warehouse, connect
from warehouse.dsn import parse_dsn

pytest_plugins = ["tests.seeds"]

LONGEST: Final = (
    "tests/chaos/",
    "tests/senders/test_outages",
    "tests/senders/test_browsers",
    "tests/senders/test_servers",
    "tests/trigger_worker/agreement",
    "tests/trigger_worker/crashes",
    "tests/trigger_worker/test_worker",
    "tests/collector/test_kill",
    "tests/micromoment/commands/test_beside_up",
    "tests/trigger_worker/rules/evaluate/test_agreement",
    "tests/trigger_worker/deciding/",
    "tests/trigger_worker/live/",
)

# A slow machine is no failure; and what a check on a server finds, the next run there must find as well.
settings.register_profile("default", deadline=None)
settings.register_profile("server", deadline=None, derandomize=True)
settings.load_profile("server" if os.environ.get("CI") else "default")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    begin_with(LONGEST, items)


@pytest.fixture(scope="session")
def listener() -> Iterator[str]:
    """The data source name of a running listener; it names no database."""
    with running_listener() as dsn:
        yield dsn


@pytest.fixture(scope="session")
def embedded() -> Iterator[str]:
    """The data source name of the embedded engine, which opens one folder in a process and stays open between tests."""
    with scratch_folder() as folder, connect(f"chdb://{folder}") as keeper:
        keeper.query("SELECT 1")
        yield f"chdb://{folder}"


@pytest.fixture(scope="session")
def embedded_databases(embedded: str) -> Iterator[Databases]:
    """Databases on the embedded engine."""
    with databases_of(embedded) as databases:
        yield databases


@pytest.fixture(scope="session")
def listener_databases(listener: str) -> Iterator[Databases]:
    """Databases on the listener."""
    with databases_of(listener) as databases:
        yield databases


ENGINES: Final = ["embedded", pytest.param("listener", marks=pytest.mark.listener)]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The data source name of each engine in turn, without a database."""
    dsn: str = request.getfixturevalue(request.param)
    return dsn


@pytest.fixture(params=ENGINES)
def databases(request: pytest.FixtureRequest) -> Databases:
    """Databases on each engine in turn."""
    found: Databases = request.getfixturevalue(f"{request.param}_databases")
    return found


@pytest.fixture
def unmade_dsn(databases: Databases) -> Iterator[str]:
    """The data source name of a database that is not there yet, on each engine in turn."""
    with databases.unmade() as dsn:
        yield dsn


@pytest.fixture
def dsn(databases: Databases) -> Iterator[str]:
    """The data source name of a database with the whole schema and no rows, on each engine in turn."""
    with databases.lent() as dsn:
        yield dsn


@pytest.fixture
def warehouse(dsn: str) -> Iterator[Warehouse]:
    """A database with the whole schema and no rows, on each engine in turn."""
    with Warehouse(parse_dsn(dsn)) as warehouse:
        yield warehouse


@pytest.fixture
def embedded_warehouse(embedded_databases: Databases) -> Iterator[Warehouse]:
    """A database with the whole schema and no rows, on the embedded engine: for what does not depend on the engine."""
    with embedded_databases.lent() as dsn, Warehouse(parse_dsn(dsn)) as warehouse:
        yield warehouse
