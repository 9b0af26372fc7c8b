from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from micromoment.history import importer
from micromoment.history.importer import import_file
from micromoment.history.report import ImportReport
from tests.micromoment.history.files import NOW_MS, SHOP, counts, line, load
from warehouse.connection import Warehouse
from warehouse.errors import WarehouseUnavailable


def write(path: Path, *lines: dict[str, Any] | str) -> Path:
    text = "\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["history.jsonl", "history.jsonl.gz"])
def test_every_line_is_stored_at_its_own_time_and_triggers_nothing(
    warehouse: Warehouse, tmp_path: Path, name: str
) -> None:
    report = load(warehouse, write(tmp_path / name, line(1), "", line(2, properties={"price": 5}), ""))
    assert (report.stored, report.known, report.dropped) == (2, 0, {})
    sql = "SELECT toString(ts), source, price, toString(received_at) FROM events ORDER BY ts"
    assert list(warehouse.query(sql)) == [
        ("2026-10-01 00:01:00.000", "import", None, "2026-11-22 12:00:00.000"),
        ("2026-10-01 00:02:00.000", "import", 5.0, "2026-11-22 12:00:00.000"),
    ]
    assert list(warehouse.query("SELECT visitor_id, event FROM event_feed")) == [("", "history_changed")]


def test_loading_again_stores_nothing_twice(warehouse: Warehouse, tmp_path: Path) -> None:
    path = write(tmp_path / "history.jsonl", *(line(number) for number in range(50)))
    load(warehouse, path)
    report = load(warehouse, path)
    assert (report.stored, report.known) == (0, 50)
    assert counts(warehouse) == (50, 50)


def test_loading_goes_on_where_it_stopped(warehouse: Warehouse, tmp_path: Path) -> None:
    load(warehouse, write(tmp_path / "first.jsonl", *(line(number) for number in range(10))))
    report = load(warehouse, write(tmp_path / "all.jsonl", *(line(number) for number in range(25))))
    assert (report.stored, report.known) == (15, 10)
    assert counts(warehouse) == (25, 25)


def test_an_event_that_stands_twice_in_a_long_file_is_one(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "ROWS_PER_INSERT", 10)
    monkeypatch.setattr(importer, "_MESSAGES_AT_ONCE", 10)
    path = write(tmp_path / "history.jsonl", *(line(number % 25) for number in range(60)))
    assert (load(warehouse, path).stored, counts(warehouse)) == (25, (25, 25))


def test_one_id_of_two_visitors_is_two_events(warehouse: Warehouse, tmp_path: Path) -> None:
    path = write(tmp_path / "history.jsonl", line(1, messageId="m"), line(2, messageId="m"))
    assert load(warehouse, path).stored == 2
    assert load(warehouse, path).known == 2


def test_very_many_visitors_are_asked_about_in_groups(warehouse: Warehouse, tmp_path: Path) -> None:
    path = write(
        tmp_path / "history.jsonl", *(line(number, anonymousId=f"{number}-{'é' * 40}") for number in range(9000))
    )
    load(warehouse, path)
    assert load(warehouse, path).known == 9000


def test_a_long_file_is_stored_in_groups(warehouse: Warehouse, tmp_path: Path) -> None:
    total = importer.ROWS_PER_INSERT + 500
    told: list[int] = []
    path = write(tmp_path / "history.jsonl.gz", *(line(number) for number in range(total)))
    report = import_file(warehouse, path, SHOP, NOW_MS, told.append)
    assert (report.stored, report.known) == (total, 0)
    assert counts(warehouse) == (total, total)
    assert sum(told) == path.stat().st_size


def test_an_id_that_stands_in_the_file_twice_is_one_event(warehouse: Warehouse, tmp_path: Path) -> None:
    report = load(warehouse, write(tmp_path / "history.jsonl", line(1), line(1)))
    assert (report.stored, report.known) == (1, 1)


def test_equal_lines_without_ids_are_events_of_their_own_and_still_stored_once(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    path = write(tmp_path / "history.jsonl", *[line(1, messageId=None)] * 3)
    assert load(warehouse, path).stored == 3
    assert load(warehouse, path).known == 3
    assert counts(warehouse) == (3, 3)


def test_an_order_is_one_event_however_often_a_file_tells_of_it(warehouse: Warehouse, tmp_path: Path) -> None:
    def order(number: int, order_id: object, **fields: Any) -> dict[str, Any]:
        told = {"order_id": order_id, "value": 80, "currency": "EUR"}
        return line(number, event="purchase", properties=told, anonymousId="cookie", **fields)

    lines = [order(1, 1001), order(2, "#1001"), order(3, "1001", messageId=None), order(4, "1001", messageId=None)]
    path = write(tmp_path / "orders.jsonl", *lines, order(5, 1002), order(6, None), order(7, "undefined"))
    report = load(warehouse, path)
    assert (report.stored, report.known) == (4, 3)
    assert report.warned["order_without_id"] == 2
    assert list(warehouse.query("SELECT order_id, net FROM orders ORDER BY 1")) == [("1001", 80.0), ("1002", 80.0)]
    again = load(warehouse, path)
    assert (again.stored, again.known) == (0, 7)


def test_lines_that_are_no_events_are_counted_and_shown_by_number(warehouse: Warehouse, tmp_path: Path) -> None:
    wrong: list[dict[str, Any] | str] = ["nonsense", line(1, timestamp="yesterday"), line(2, anonymousId=None), "[]"]
    report = load(warehouse, write(tmp_path / "history.jsonl", line(0), *wrong))
    assert report.stored == 1
    assert report.dropped == {"malformed": 2, "no_timestamp": 1, "no_visitor": 1}
    assert [example.split(":")[0] for example in report.examples] == ["line 2", "line 3", "line 4", "line 5"]


def test_a_file_of_nothing_stores_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    assert load(warehouse, write(tmp_path / "history.jsonl")) == ImportReport()
    assert not ImportReport().is_complete


def test_a_warehouse_that_goes_away_is_an_error_and_a_second_try_completes_it(
    embedded_warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "ROWS_PER_INSERT", 10)
    monkeypatch.setattr(importer, "_MESSAGES_AT_ONCE", 10)
    path = write(tmp_path / "history.jsonl", *(line(number) for number in range(35)))
    with pytest.raises(WarehouseUnavailable):
        import_file(_Failing(embedded_warehouse, after=2), path, SHOP, NOW_MS, lambda _: None)
    report = load(embedded_warehouse, path)
    assert (report.stored, report.known) == (15, 20)
    assert counts(embedded_warehouse) == (35, 35)


class _Failing:
    """Goes away after so many inserts."""

    def __init__(self, warehouse: Warehouse, after: int) -> None:
        self.export = warehouse.export
        self._warehouse = warehouse
        self._left = after

    def insert_lines(self, table: str, lines: bytes, token: str) -> None:
        if not self._left:
            raise WarehouseUnavailable("gone")
        self._left -= 1
        self._warehouse.insert_lines(table, lines, token)


def test_history_of_more_months_than_clickhouse_takes_at_once_is_stored(warehouse: Warehouse, tmp_path: Path) -> None:
    times = [f"{year}-{month:02}-01T00:00:00Z" for year in range(2010, 2026) for month in range(1, 13)]
    path = write(tmp_path / "history.jsonl", *(line(number, timestamp=at) for number, at in enumerate(times)))
    assert load(warehouse, path).stored == len(times)
    assert load(warehouse, path).known == len(times)


def test_an_order_that_a_server_told_before_at_another_time_is_not_stored_again(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    order = {"event": "purchase", "properties": {"order_id": "1001", "value": 20, "currency": "EUR"}}
    told = line(1, **order, messageId="from the server", timestamp="2026-10-01T10:00:00.000Z")
    exported = line(1, **order, messageId=None, timestamp="2026-10-01T10:00:07.000Z")
    assert load(warehouse, write(tmp_path / "told.jsonl", told)).stored == 1
    assert load(warehouse, write(tmp_path / "exported.jsonl", exported, exported)).known == 2
    assert counts(warehouse) == (1, 1)
