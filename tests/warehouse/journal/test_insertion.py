from __future__ import annotations

import pytest

from tests.warehouse.journal.journals import line
from warehouse.connection import Warehouse
from warehouse.errors import RowsRefused, WarehouseError
from warehouse.journal.insertion import MAX_MONTHS, MAX_REFUSED_ROWS, insert_rows
from warehouse.journal.tables import EVENTS, JournalTable

GOOD = [line(f"good-{number}") for number in range(9)]
#: Rows that no version of the table takes, by what is wrong with them.
BAD = {
    "not JSON": b'{"event_id": ',
    "a time that is none": line("bad").replace(b"2026-11-22 12:00:00.000", b"yesterday"),
    "text for a number": line("bad").replace(b'"type"', b'"price":"dear","type"'),
    "a field without a column": line("bad").replace(b'"type"', b'"colour":"red","type"'),
}
#: Ten years, as one request can hold.
MONTHS = [f"{year}-{month:02d}" for year in range(2016, 2026) for month in range(1, 13)]


class FakeWarehouse:
    """Remembers the inserts."""

    def __init__(self) -> None:
        self.inserts: list[tuple[str, list[bytes]]] = []

    def insert_lines(self, table: str, lines: bytes, token: str) -> None:
        self.inserts.append((token, lines.split(b"\n")))


def stored(warehouse: Warehouse) -> list[str]:
    return [event_id for (event_id,) in warehouse.query("SELECT event_id FROM events ORDER BY event_id")]


def counts(warehouse: Warehouse) -> set[tuple[int, int]]:
    tables = ("events", "event_feed")
    return {warehouse.query(f"SELECT count(), uniqExact(event_id) FROM {table}")[0] for table in tables}


@pytest.fixture
def unmerged(warehouse: Warehouse) -> Warehouse:
    """A warehouse whose tables do not merge, so that a second copy of a row stays to be seen."""
    for table in ("events", "event_feed"):
        warehouse.command(f"SYSTEM STOP MERGES {table}")
    return warehouse


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("place", [0, 4, 9])
def test_a_row_that_cannot_be_stored_keeps_none_of_the_others_out(warehouse: Warehouse, bad: bytes, place: int) -> None:
    lines = [*GOOD[:place], bad, *GOOD[place:]]
    refused = insert_rows(warehouse, EVENTS, lines, "batch")
    assert [row.line for row in refused] == [bad]
    assert refused[0].reason.startswith("ClickHouse at ")
    assert stored(warehouse) == [f"good-{number}" for number in range(9)]


def test_a_refused_batch_that_is_repeated_stores_nothing_twice(unmerged: Warehouse) -> None:
    lines = [*GOOD, *BAD.values()]
    assert insert_rows(unmerged, EVENTS, lines, "batch") == insert_rows(unmerged, EVENTS, lines, "batch")
    assert counts(unmerged) == {(9, 9)}


def test_a_batch_of_ten_years_is_stored_and_repeated_stores_nothing_twice(unmerged: Warehouse) -> None:
    lines = [line(month, month) for month in MONTHS]
    for _ in range(2):
        assert insert_rows(unmerged, EVENTS, [*lines, b"{"], "batch")[0].line == b"{"
    assert counts(unmerged) == {(120, 120)}


def test_more_partitions_than_clickhouse_takes_are_a_matter_of_rows(embedded_warehouse: Warehouse) -> None:
    with pytest.raises(RowsRefused) as caught:
        embedded_warehouse.insert_lines("events", b"\n".join(line(month, month) for month in MONTHS), "batch")
    assert caught.value.code == 252


def test_a_batch_is_parted_by_months_only_when_it_has_many() -> None:
    few, many = FakeWarehouse(), FakeWarehouse()
    insert_rows(few, EVENTS, [line(month, month) for month in MONTHS[:MAX_MONTHS]] * 2, "few")
    assert [token for token, _ in few.inserts] == ["few"]
    lines = [line(f"{month}-{number}", month) for number in range(2) for month in MONTHS[: MAX_MONTHS + 1]]
    insert_rows(many, EVENTS, lines, "many")
    assert [(token, len(rows)) for token, rows in many.inserts] == [("many.months0", 24), ("many.months1", 2)]
    assert sorted(row for _, rows in many.inserts for row in rows) == sorted(lines)


def test_a_table_that_refuses_everything_is_no_matter_of_rows(embedded_warehouse: Warehouse) -> None:
    lines = [BAD["a field without a column"]] * (MAX_REFUSED_ROWS + 28)
    with pytest.raises(WarehouseError, match="by the hundred") as caught:
        insert_rows(embedded_warehouse, EVENTS, lines, "batch")
    assert not isinstance(caught.value, RowsRefused)
    assert "version" in caught.value.hint


def test_trouble_that_is_not_the_rows_is_not_blamed_on_them(embedded_warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError) as caught:
        insert_rows(embedded_warehouse, JournalTable(9, "none", "no_such_table", "ts", 1, 1), GOOD, "batch")
    assert not isinstance(caught.value, RowsRefused)
    assert caught.value.code
