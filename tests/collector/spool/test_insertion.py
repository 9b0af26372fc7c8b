from __future__ import annotations

import pytest

from collector.spool.insertion import MAX_REFUSED_ROWS, insert_rows
from tests.collector.spools import spooled
from warehouse.connection import Warehouse
from warehouse.errors import RowsRefused, WarehouseError

GOOD = [spooled(f"good-{number}").line for number in range(9)]
#: Rows that no version of the table takes, by what is wrong with them.
BAD = {
    "not JSON": b'{"event_id": ',
    "a time that is none": spooled("bad").line.replace(b"2026-11-22 12:00:00.000", b"yesterday"),
    "text for a number": spooled("bad").line.replace(b'"type"', b'"price":"dear","type"'),
    "a field without a column": spooled("bad").line.replace(b'"type"', b'"colour":"red","type"'),
}


def stored(warehouse: Warehouse) -> list[str]:
    return [event_id for (event_id,) in warehouse.query("SELECT event_id FROM events ORDER BY event_id")]


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("place", [0, 4, 9])
def test_a_row_that_cannot_be_stored_keeps_none_of_the_others_out(warehouse: Warehouse, bad: bytes, place: int) -> None:
    lines = [*GOOD[:place], bad, *GOOD[place:]]
    refused = insert_rows(warehouse, "events", lines, "batch")
    assert [row.line for row in refused] == [bad]
    assert refused[0].reason.startswith("ClickHouse at ")
    assert stored(warehouse) == [f"good-{number}" for number in range(9)]


def test_a_refused_batch_that_is_repeated_stores_nothing_twice(warehouse: Warehouse) -> None:
    for table in ("events", "event_feed"):
        warehouse.command(f"SYSTEM STOP MERGES {table}")
    lines = [*GOOD, *BAD.values()]
    assert insert_rows(warehouse, "events", lines, "batch") == insert_rows(warehouse, "events", lines, "batch")
    for table in ("events", "event_feed"):
        assert list(warehouse.query(f"SELECT count(), uniqExact(event_id) FROM {table}")) == [(9, 9)], table


def test_a_table_that_refuses_everything_is_no_matter_of_rows(embedded_warehouse: Warehouse) -> None:
    lines = [BAD["a field without a column"]] * (MAX_REFUSED_ROWS + 28)
    with pytest.raises(WarehouseError, match="by the hundred") as caught:
        insert_rows(embedded_warehouse, "events", lines, "batch")
    assert not isinstance(caught.value, RowsRefused)
    assert "version" in caught.value.hint


def test_trouble_that_is_not_the_rows_is_not_blamed_on_them(embedded_warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError) as caught:
        insert_rows(embedded_warehouse, "no_such_table", GOOD, "batch")
    assert not isinstance(caught.value, RowsRefused)
