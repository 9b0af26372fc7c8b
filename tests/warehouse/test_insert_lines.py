"""A batch is stored once, however often it is sent: in `events` and in everything that is made from it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from tests.warehouse.rows import as_lines, event_row, store, value
from warehouse.connection import Warehouse
from warehouse.errors import WarehouseError

#: Every table that an insert into `events` reaches, some only by events of a kind. All count raw rows, before any merge
#: could hide a second copy.
REACHED: Final = (
    "events",
    "event_feed",
    "visitor_daily",
    "identity",
    "identity_by_person",
    "refusing_ids",
    "verified_products",
)
#: What an insert into `messages` reaches.
REACHED_BY_MESSAGES: Final = ("address_messages",)
MONTH_MS: Final = 31 * 86_400_000
ROWS: Final = [event_row(event_id=f"e{number}", anonymous_id="cookie", user_id="ada", at=number) for number in range(5)]


def counts(warehouse: Warehouse) -> dict[str, int]:
    return {table: value(warehouse, f"SELECT count() FROM {table}") for table in REACHED}


@pytest.fixture
def unmerged(warehouse: Warehouse) -> Warehouse:
    """A warehouse whose tables do not merge, so that a second copy of a row stays to be seen."""
    for table in REACHED:
        warehouse.command(f"SYSTEM STOP MERGES {table}")
    return warehouse


def test_the_test_knows_every_table_that_an_insert_reaches(warehouse: Warehouse) -> None:
    sql = "SELECT extract(create_table_query, ' TO `?\\\\w+`?\\\\.`?(\\\\w+)') FROM system.tables"
    found = warehouse.query(f"{sql} WHERE database = currentDatabase() AND engine = 'MaterializedView'")
    assert {name for (name,) in found} == {*REACHED, *REACHED_BY_MESSAGES} - {"events"}


def test_every_table_that_an_insert_reaches_remembers_tokens(warehouse: Warehouse) -> None:
    found = warehouse.query("SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()")
    engines = {name: engine for name, engine in found if name in REACHED}
    assert set(engines) == set(REACHED)
    for name, engine in engines.items():
        assert "non_replicated_deduplication_window = 10000" in engine, name


def test_a_repeated_token_stores_nothing_anywhere(unmerged: Warehouse) -> None:
    store(unmerged, *ROWS, token="batch-1")
    once = counts(unmerged)
    assert once["events"] == once["event_feed"] == len(ROWS)
    for _ in range(3):
        store(unmerged, *ROWS, token="batch-1")
    assert counts(unmerged) == once


def test_a_repeated_token_stores_nothing_anywhere_when_the_batch_spans_partitions(unmerged: Warehouse) -> None:
    rows = [
        event_row(event_id=f"e{number}", anonymous_id="cookie", user_id="ada", at=number * -MONTH_MS)
        for number in range(4)
    ]
    store(unmerged, *rows, token="batch-1")
    once = counts(unmerged)
    assert once["events"] == once["event_feed"] == 4
    store(unmerged, *rows, token="batch-1")
    assert counts(unmerged) == once


def test_the_same_rows_under_another_token_are_another_batch(unmerged: Warehouse) -> None:
    store(unmerged, *ROWS, token="batch-1")
    once = counts(unmerged)
    store(unmerged, *ROWS, token="batch-2")
    assert counts(unmerged) == {table: 2 * count for table, count in once.items()}


def test_a_token_sent_by_many_threads_at_once_stores_one_batch(unmerged: Warehouse) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: store(unmerged, *ROWS, token="batch-1"), range(8)))
    assert counts(unmerged)["events"] == len(ROWS)


def test_a_batch_larger_than_any_that_is_sent_is_one_block(unmerged: Warehouse) -> None:
    rows = [event_row(event_id=f"e{number}", props='{"filler":"' + "x" * 200 + '"}') for number in range(20_000)]
    for _ in range(2):
        store(unmerged, *rows, token="batch-1")
    assert counts(unmerged)["events"] == counts(unmerged)["event_feed"] == len(rows)


def test_a_batch_with_a_line_that_is_no_row_stores_nothing(warehouse: Warehouse) -> None:
    lines = as_lines([event_row()]) + b'\n{"ts": "yesterday"}'
    with pytest.raises(WarehouseError):
        warehouse.insert_lines("events", lines, "batch-1")
    assert set(counts(warehouse).values()) == {0}


def test_an_unknown_column_is_refused_rather_than_lost(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match="colour"):
        warehouse.insert_lines("events", b'{"site": "shop", "colour": "red"}', "batch-1")
