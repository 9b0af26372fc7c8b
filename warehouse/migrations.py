"""Applies the numbered schema files to ClickHouse, each once, and the lifetimes of tables that a setting changes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Final

import msgspec

from warehouse.connection import Warehouse
from warehouse.errors import WarehouseError

_FILE_NAME: Final = re.compile(r"(\d{4})_\w+\.sql")
_RECORD: Final = """
CREATE TABLE IF NOT EXISTS schema_migrations
(version UInt32, name String, checksum String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3))
ENGINE = ReplacingMergeTree(applied_at) ORDER BY version
"""

#: The column of each table from which its days are counted.
COUNTED_FROM: Final[Mapping[str, str]] = {
    "fires": "fired_at",
    "decisions": "decided_at",
    "messages": "at",
    "coupon_assignments": "assigned_at",
    "visitor_daily": "day",
}
_ENGINES: Final = "SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()"


class Migration(msgspec.Struct, frozen=True):
    """A numbered schema file."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """Return a hash of the text, by which an edited file is noticed."""
        return hashlib.sha256(self.sql.encode()).hexdigest()[:16]

    @property
    def statements(self) -> list[str]:
        """Return the file's statements; each ends with a semicolon at the end of a line."""
        return [text for part in self.sql.split(";\n") if (text := part.strip().rstrip(";"))]


def shipped() -> list[Migration]:
    """Return the schema files of this version of Micromoment, in order."""
    found = [
        Migration(int(match[1]), file.name, file.read_text(encoding="utf-8"))
        for file in files("warehouse").joinpath("schema").iterdir()
        if (match := _FILE_NAME.fullmatch(file.name))
    ]
    return sorted(found, key=lambda migration: migration.version)


def migrate(warehouse: Warehouse, migrations: Sequence[Migration] | None = None) -> list[str]:
    """Apply the schema files that were not applied yet, and return their names.

    Every statement may be run again without harm, so a crash between a file and its record is healed by the next run.

    Cost: one query of the small table `schema_migrations`, and the statements of each new file.

    Returns:
        Names of the files applied by this call.

    Raises:
        WarehouseError: a file that was applied has since been edited, or ClickHouse refused a statement.
    """
    warehouse.command(_RECORD)
    applied: dict[int, str] = dict(warehouse.query("SELECT version, checksum FROM schema_migrations FINAL"))
    fresh = []
    for migration in shipped() if migrations is None else migrations:
        if migration.version not in applied:
            _apply(warehouse, migration)
            fresh.append(migration.name)
        elif applied[migration.version] != migration.checksum:
            raise WarehouseError(
                f"schema file {migration.name} was edited after it was applied to {warehouse.dsn}",
                "put its text back and make the change in a new numbered file",
            )
    return fresh


def keep_records_for(warehouse: Warehouse, days: int) -> list[str]:
    """Have ClickHouse keep the rows of these tables for so many days; return the tables that kept them otherwise.

    Rows that are older already go with ClickHouse's next merges.

    Cost: one query of a small table, and a statement for each table that is changed.
    """
    engines: dict[str, str] = dict(warehouse.query(_ENGINES))
    changed = []
    for table, column in COUNTED_FROM.items():
        lifetime = f"toDateTime({column}) + toIntervalDay({days})"
        if f"TTL {lifetime}" not in engines[table]:
            warehouse.command(f"ALTER TABLE {table} MODIFY TTL {lifetime} SETTINGS materialize_ttl_after_modify = 0")
            changed.append(table)
    return changed


def _apply(warehouse: Warehouse, migration: Migration) -> None:
    for statement in migration.statements:
        warehouse.command(statement)
    warehouse.command(
        "INSERT INTO schema_migrations (version, name, checksum)"
        " VALUES ({version:UInt32}, {name:String}, {checksum:String})",
        {"version": migration.version, "name": migration.name, "checksum": migration.checksum},
    )
