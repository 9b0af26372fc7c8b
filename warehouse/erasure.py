# ruff: noqa: S608 - what is put into a statement are names of ours, never a text from outside
"""Finds all that ClickHouse holds of a person, and removes it from its tables and files."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

import msgspec

from warehouse.connection import Warehouse
from warehouse.errors import WarehouseError
from warehouse.event import format_time
from warehouse.personal_tables import PERSONAL_TABLES
from warehouse.queries import Queries
from warehouse.tombstones import Mark

#: More ids than this are no person: an id such as "guest", which a shop gives to everybody, joins strangers.
MAX_IDS: Final = 1_000
#: Most rows of an export that are in memory at a time.
EXPORTED_AT_ONCE: Final = 10_000
_MAX_JOINS: Final = 100
_POLL_SECONDS: Final = 0.1
#: Tables are written anew side by side, and waited for together.
_APART: Final = "SETTINGS mutations_sync = 0"
#: Settings of a table with which files of rows that are gone go at once, and new ones are on the disk first.
_AT_ONCE: Final[Mapping[str, int]] = {
    "old_parts_lifetime": 0,
    "min_rows_to_fsync_after_merge": 1,
    "fsync_part_directory": 1,
}
_MUTATED_WITHIN_SECONDS: Final = 600.0
_CLEANED_WITHIN_SECONDS: Final = 60.0
_encode = msgspec.json.Encoder().encode


class ErasingPerson:
    """One person whose rows are found and removed, by a table in ClickHouse's memory that holds their ids.

    Statements name that table instead of the ids, because ClickHouse keeps the text of those that change a table.

    Args:
        warehouse: the ClickHouse database.
        site: the site.
        table: the name of the table.
    """

    def __init__(self, warehouse: Warehouse, site: str, table: str) -> None:
        self._warehouse = warehouse
        self._table = table
        self.site: Final = site

    def find_ids(self, visitor_id: str, most: int = MAX_IDS) -> list[str]:
        """Find every id of the person behind one of them, and return them.

        Cost: for each join in the longest chain of joins, two statements over `identity`.

        Raises:
            WarehouseError: there are more than `most`.
        """
        if visitor_id not in self.ids():
            self._add([visitor_id])
        for _ in range(_MAX_JOINS):
            before = len(self.ids())
            self._run(
                f"INSERT INTO {self._table} SELECT DISTINCT site, arrayJoin([alias, person]) FROM identity FINAL"
                " WHERE (site, alias) IN $ids OR ((site, person) IN $ids AND (site, alias) IN"
                " (SELECT site, alias FROM identity_by_person WHERE (site, person) IN $ids))"
            )
            found = self.ids()
            if len(found) > most:
                raise WarehouseError(
                    f"{visitor_id} is joined to {len(found)} ids or more: too many for a person",
                    f"see who they are in `identity`; --max-ids allows more than {most}",
                )
            if len(found) == before:
                return found
        return self.ids()

    def ids(self) -> list[str]:
        """Return the ids that were found, in alphabetical order."""
        return [each for (each,) in self._warehouse.query(f"SELECT DISTINCT id FROM {self._table} ORDER BY id")]

    def message_ids(self) -> list[str]:
        """Return the ids of all messages to the person.

        Cost: two queries by key.
        """
        sql = " UNION DISTINCT ".join(
            f"SELECT message_id FROM {table} WHERE {PERSONAL_TABLES[table].where}"
            for table in ("messages", "decisions")
        )
        return [each for (each,) in self._warehouse.query(self._filled(f"SELECT DISTINCT message_id FROM ({sql})"))]

    def count(self) -> dict[str, int]:
        """Return how many rows each table holds about the person.

        Cost: one query for each table.
        """
        return {
            table: int(self._warehouse.query(self._filled(f"SELECT count() FROM {table} WHERE {rows.where}"))[0][0])
            for table, rows in PERSONAL_TABLES.items()
        }

    def export(self, table: str, first: int = 0) -> list[bytes]:
        """Return rows of a table about the person, `EXPORTED_AT_ONCE` at most, as JSON objects with every column.

        Cost: one query.

        Args:
            table: the table.
            first: how many rows were returned before.
        """
        rows = PERSONAL_TABLES[table]
        columns = "*" if table != "visitor_daily" else "* REPLACE(finalizeAggregation(events) AS events)"
        sql = f"SELECT {columns} FROM {table} WHERE {rows.where} ORDER BY {rows.order}"
        page = f" LIMIT {EXPORTED_AT_ONCE} OFFSET {first}"
        return self._warehouse.export(self._filled(sql + page), "JSONEachRow").splitlines()

    def erase(self, counted: Mapping[str, int]) -> None:
        """Remove the rows, and wait until ClickHouse's files are without them.

        Cost: each part of a table that holds some of the rows is written anew.

        Args:
            counted: how many rows each table holds; tables without any are not touched.

        Raises:
            WarehouseError: ClickHouse refused, or is not done within ten minutes.
        """
        touched = [table for table, count in counted.items() if count]
        with self._files_removed(touched + self._mentioning()) as touch:
            for table in self._mentioning():
                mention = PERSONAL_TABLES[table].mention
                if mention is not None:
                    others = f"{mention.where} AND (site, visitor_id) NOT IN $ids"
                    self._run(
                        f"ALTER TABLE {table} UPDATE {mention.column} = {mention.without} WHERE {others} {_APART}"
                    )
            for table in touched:
                rows = PERSONAL_TABLES[table]
                if rows.first:
                    self._run(rows.first)
                self._run(f"ALTER TABLE {table} DELETE WHERE {rows.where} {_APART}")
            self._wait_for_mutations()
            touch()

    def _mentioning(self) -> list[str]:
        """Return the tables in which rows of somebody else name the person.

        Cost: a query by key for each table with such a column.
        """
        found = []
        for table, rows in PERSONAL_TABLES.items():
            if rows.mention is not None:
                sharing = "SELECT site, person FROM identity_by_person WHERE (site, alias) IN $ids"
                where = f"(site, visitor_id) IN ({sharing}) AND (site, visitor_id) NOT IN $ids AND {rows.mention.where}"
                if self._warehouse.query(self._filled(f"SELECT 1 FROM {table} WHERE {where} LIMIT 1")):
                    found.append(table)
        return found

    @contextmanager
    def _files_removed(self, tables: Iterable[str]) -> Iterator[Callable[[], None]]:
        """Let ClickHouse remove files of rows that are gone at once, and write new ones to the disk first.

        Usually it keeps such files for minutes. The block calls the function that is yielded when the rows are gone;
        its end waits for the files.
        """
        names = sorted(set(tables))
        at_once = ", ".join(f"{name} = {value}" for name, value in _AT_ONCE.items())
        waiting: set[tuple[str, str]] = set()
        for table in names:
            self._run(f"ALTER TABLE {table} MODIFY SETTING {at_once}")
        try:
            yield lambda: waiting.update(self._inactive(names))
            self._wait_for_files(names, waiting)
        finally:
            for table in names:
                self._run(f"ALTER TABLE {table} RESET SETTING {', '.join(_AT_ONCE)}")

    def _wait_for_mutations(self) -> None:
        sql = (
            "SELECT countIf(NOT is_done), anyIf(latest_fail_reason, latest_fail_reason != '') FROM system.mutations"
            f" WHERE database = currentDatabase() AND command LIKE '%{self._table}%'"
        )
        give_up_at = time.monotonic() + _MUTATED_WITHIN_SECONDS
        while (state := self._warehouse.query(sql)[0])[0]:
            if state[1] or time.monotonic() > give_up_at:
                raise WarehouseError(
                    f"rows could not be removed yet: {state[1] or 'ClickHouse is busy'}", "erase again"
                )
            time.sleep(_POLL_SECONDS)

    def _inactive(self, tables: Iterable[str]) -> list[tuple[str, str]]:
        named = ", ".join(f"'{table}'" for table in ("", *tables))
        sql = (
            "SELECT table, name FROM system.parts WHERE database = currentDatabase() AND NOT active"
            f" AND table IN ({named})"
        )
        return [(table, name) for table, name in self._warehouse.query(sql)]

    def _wait_for_files(self, tables: Iterable[str], waiting: set[tuple[str, str]]) -> None:
        give_up_at = time.monotonic() + _CLEANED_WITHIN_SECONDS
        while waiting & set(self._inactive(tables)):
            if time.monotonic() > give_up_at:
                raise WarehouseError(
                    "the rows are gone, and ClickHouse has not removed their files within a minute",
                    "it does so by itself within ten minutes; a backup or a long query may hold them",
                )
            for table in tables:
                # An account without the right to it, or an earlier ClickHouse, waits until it is done by itself.
                with suppress(WarehouseError):
                    self._warehouse.command(f"SYSTEM START CLEANUP {table}")
            time.sleep(_POLL_SECONDS)

    def _add(self, ids: Iterable[str]) -> None:
        lines = b"\n".join(_encode({"site": self.site, "id": each}) for each in ids)
        self._warehouse.insert_lines(self._table, lines, uuid.uuid4().hex)

    def _run(self, sql: str) -> None:
        self._warehouse.command(self._filled(sql))

    def _filled(self, sql: str) -> str:
        ids = f"(SELECT site, id FROM {self._table})"
        return sql.replace("$ids", ids).replace("$list", f"(SELECT groupUniqArray(id) FROM {self._table})")


@contextmanager
def erasing(warehouse: Warehouse, site: str) -> Iterator[ErasingPerson]:
    """Yield what finds and removes the rows of a person on a site.

    Cost: a table is made, and dropped when the block ends.
    """
    table = f"erasing_{uuid.uuid4().hex}"
    warehouse.command(f"CREATE TABLE {table} (site String, id String) ENGINE = Memory")
    try:
        yield ErasingPerson(warehouse, site, table)
    finally:
        _take_back(warehouse, table)


def clean_up(warehouse: Warehouse, older_than_s: int) -> None:
    """Take back what erasures left that a crash ended; they have to be asked for again.

    Cost: one query of small tables.

    Args:
        warehouse: the ClickHouse database.
        older_than_s: how long ago they began at least, in seconds: an erasure may be under way elsewhere.
    """
    sql = (
        "SELECT name, name LIKE 'erasing\\_%' FROM system.tables WHERE database = currentDatabase()"
        f" AND (name LIKE 'erasing\\_%' OR engine_full LIKE '%old_parts_lifetime = 0%')"
        f" AND metadata_modification_time <= now() - {older_than_s}"
    )
    for table, is_ours in warehouse.query(sql):
        if is_ours:
            _take_back(warehouse, table)
        else:
            warehouse.command(f"ALTER TABLE {table} RESET SETTING {', '.join(_AT_ONCE)}")


def _take_back(warehouse: Warehouse, table: str) -> None:
    """Drop the table of an erasure, and what was begun with it: a statement without its table would stop all others."""
    unfinished = f"database = currentDatabase() AND NOT is_done AND command LIKE '%{table}%'"
    if warehouse.query(f"SELECT 1 FROM system.mutations WHERE {unfinished} LIMIT 1"):
        warehouse.command(f"KILL MUTATION WHERE {unfinished} SYNC")
    warehouse.command(f"DROP TABLE IF EXISTS {table} SYNC")


def store_tombstones(warehouse: Warehouse, marks: Iterable[Mark], until_ms: int) -> None:
    """Store tombstones.

    Cost: one insert.

    Args:
        warehouse: the ClickHouse database.
        marks: the tombstones.
        until_ms: when they go, epoch ms.
    """
    until = format_time(until_ms)[:19]
    rows = [{"mark": one.mark, "erased_at": format_time(one.erased_at), "until": until} for one in marks]
    if rows:
        warehouse.insert_lines("tombstones", b"\n".join(map(_encode, rows)), uuid.uuid4().hex)


def read_tombstones(queries: Queries, since_ms: int = 0) -> list[Mark]:
    """Return the tombstones of erasures since an instant, epoch ms.

    Cost: one query over a small table.
    """
    sql = (
        "SELECT mark, toUnixTimestamp64Milli(max(erased_at)) FROM tombstones"
        " WHERE until > now() AND erased_at >= fromUnixTimestamp64Milli({since:Int64}) GROUP BY mark"
    )
    return [Mark(mark, erased_at) for mark, erased_at in queries.query(sql, {"since": since_ms})]
