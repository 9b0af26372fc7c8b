from __future__ import annotations

import msgspec
import pytest

from tests.warehouse.rows import value
from warehouse.connection import Warehouse, connect
from warehouse.errors import WarehouseError
from warehouse.migrations import Migration, migrate, shipped

FIRST = Migration(1, "0001_note.sql", "CREATE TABLE IF NOT EXISTS note (text String) ENGINE = Log;\n")
SECOND = Migration(2, "0002_list.sql", "CREATE TABLE IF NOT EXISTS list (text String) ENGINE = Log;\n")


def recorded(warehouse: Warehouse) -> list[tuple[int, str, str]]:
    return list(warehouse.query("SELECT version, name, checksum FROM schema_migrations ORDER BY version, applied_at"))


def test_shipped_files_are_numbered_from_one_without_a_gap() -> None:
    versions = [migration.version for migration in shipped()]
    assert versions == list(range(1, len(versions) + 1))
    assert versions


def test_every_shipped_file_can_be_run_again() -> None:
    for migration in shipped():
        for statement in migration.statements:
            # A row that is copied again replaces itself: refusing_ids, verified_products.
            copies = "INSERT INTO refusing_ids" in statement or "INSERT INTO verified_products" in statement
            repeatable = copies or "IF NOT EXISTS" in statement or "MODIFY TTL" in statement
            assert repeatable, f"{migration.name}: {statement[:80]}"


def test_statements_end_with_a_semicolon_at_the_end_of_a_line() -> None:
    migration = Migration(1, "0001_a.sql", "-- first; really\nSELECT ';';\n\nSELECT 2\nFROM numbers(1);\n")
    assert migration.statements == ["-- first; really\nSELECT ';'", "SELECT 2\nFROM numbers(1)"]


def test_a_fresh_database_gets_every_file_and_a_record_of_each(unmade_dsn: str) -> None:
    with connect(unmade_dsn) as warehouse:
        assert migrate(warehouse) == [migration.name for migration in shipped()]
        assert recorded(warehouse) == [(each.version, each.name, each.checksum) for each in shipped()]


def test_a_second_run_applies_nothing(warehouse: Warehouse) -> None:
    before = recorded(warehouse)
    assert migrate(warehouse) == []
    assert recorded(warehouse) == before


def test_only_new_files_are_applied(unmade_dsn: str) -> None:
    with connect(unmade_dsn) as warehouse:
        assert migrate(warehouse, [FIRST]) == [FIRST.name]
        assert migrate(warehouse, [FIRST, SECOND]) == [SECOND.name]


def test_a_crash_between_a_file_and_its_record_is_healed(unmade_dsn: str) -> None:
    with connect(unmade_dsn) as warehouse:
        migrate(warehouse)
        warehouse.command("TRUNCATE TABLE schema_migrations")
        assert migrate(warehouse) == [migration.name for migration in shipped()]
        assert migrate(warehouse) == []


def test_a_file_that_fails_halfway_is_not_recorded_and_runs_again(unmade_dsn: str) -> None:
    broken = msgspec.structs.replace(SECOND, sql=SECOND.sql + "SELECT * FROM nowhere;\n")
    with connect(unmade_dsn) as warehouse:
        with pytest.raises(WarehouseError, match="nowhere"):
            migrate(warehouse, [FIRST, broken])
        assert [name for _, name, _ in recorded(warehouse)] == [FIRST.name]
        assert migrate(warehouse, [FIRST, SECOND]) == [SECOND.name]


def test_a_file_that_was_edited_after_it_was_applied_is_an_error(unmade_dsn: str) -> None:
    with connect(unmade_dsn) as warehouse:
        migrate(warehouse, [FIRST])
        edited = msgspec.structs.replace(FIRST, sql=FIRST.sql + "-- a late thought\n")
        with pytest.raises(WarehouseError, match=FIRST.name) as caught:
            migrate(warehouse, [edited, SECOND])
        assert "new numbered file" in caught.value.hint
        assert value(warehouse, "EXISTS TABLE list") == 0


def test_a_checksum_tells_any_edit() -> None:
    assert FIRST.checksum == msgspec.structs.replace(FIRST, name="renamed.sql").checksum
    assert FIRST.checksum != msgspec.structs.replace(FIRST, sql=FIRST.sql + " ").checksum
