from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from tests.databases import Databases, databases_of
from tests.warehouse.rows import event_row, store, value
from warehouse.connection import Warehouse, connect
from warehouse.migrations import migrate

TABLES = "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
RECORD = "SELECT * FROM schema_migrations ORDER BY version"
INSTANTS = """
SELECT name FROM system.columns
WHERE database = currentDatabase() AND table = {table:String} AND type LIKE 'DateTime%' AND default_kind = ''
"""
#: Views fill these from an event of somebody who logs in.
FILLED_BY_VIEWS = {"event_feed", "visitor_daily", "identity", "identity_by_person"}
LOGS_IN = event_row(event_id="e", anonymous_id="browser", user_id="ada")


@pytest.fixture
def databases(engine: str) -> Iterator[Databases]:
    """Databases that only this test lends."""
    with databases_of(engine) as databases:
        yield databases


def rows(warehouse: Warehouse) -> dict[str, int]:
    """Return how many rows each table holds, but for the record of migrations."""
    names = {name for (name,) in warehouse.query(TABLES)} - {"schema_migrations"}
    return {name: value(warehouse, f"SELECT count() FROM {name}") for name in names}


def fill(warehouse: Warehouse) -> None:
    """Put a row into every table, with a token that the next test may use as well."""
    store(warehouse, LOGS_IN, token="token")
    for name in rows(warehouse).keys() - {"events", *FILLED_BY_VIEWS}:
        # Most tables keep nothing that is old, or over.
        instants = [column for (column,) in warehouse.query(INSTANTS, {"table": name})]
        warehouse.insert_lines(
            name,
            msgspec.json.encode(dict.fromkeys(instants, f"{datetime.now(UTC) + timedelta(days=1):%F %T}")),
            "token",
        )


def test_a_database_that_is_lent_again_is_as_good_as_new(databases: Databases) -> None:
    with databases.lent() as dsn, connect(dsn) as warehouse:
        record = warehouse.query(RECORD)
        assert set(rows(warehouse).values()) == {0}
        fill(warehouse)
        assert all(rows(warehouse).values())
    with databases.lent() as again, connect(again) as warehouse:
        assert again == dsn
        assert set(rows(warehouse).values()) == {0}
        assert migrate(warehouse) == []
        assert warehouse.query(RECORD) == record
        # No token of the earlier test keeps a row out, of a table or of one that a view fills.
        fill(warehouse)
        assert all(rows(warehouse).values())


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE events ADD COLUMN mood String",
        "ALTER TABLE events MODIFY TTL toDateTime(ingested_at) + toIntervalDay(1)",
        "DROP VIEW identity_writer",
        "CREATE TABLE note (text String) ENGINE = MergeTree ORDER BY text",
        "INSERT INTO schema_migrations (version, name, checksum) VALUES (9999, 'future', '')",
    ],
)
def test_a_database_whose_schema_a_test_changed_is_lent_to_nobody_else(databases: Databases, change: str) -> None:
    with databases.lent() as dsn, connect(dsn) as warehouse:
        warehouse.command(change)
    with databases.lent() as next_dsn:
        assert next_dsn != dsn


def test_two_that_need_a_database_at_the_same_time_get_one_each(databases: Databases) -> None:
    with databases.lent() as first, databases.lent() as second:
        assert first != second


def test_a_database_that_is_not_there_yet_is_gone_afterwards(databases: Databases, engine: str) -> None:
    with databases.unmade() as dsn, connect(dsn) as warehouse:
        name = warehouse.dsn.database
    with connect(engine) as warehouse:
        assert value(warehouse, "SELECT count() FROM system.databases WHERE name = {name:String}", name=name) == 0
