"""Rows of an import that was killed while ClickHouse took them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from micromoment.history.importer import import_file
from micromoment.history.pending import PENDING_FILES, PendingRows, pending_rows
from tests.micromoment.history.files import NOW_MS, SHOP, counts, json_lines, load_bytes
from warehouse.connection import Warehouse
from warehouse.errors import ConfigurationError, WarehouseUnavailable

ROW = {"site": "shop", "event": "hover", "type": "track", "event_id": "e1", "visitor_id": "u1", "source": "import"}
LINE = json.dumps({**ROW, "ts": "2026-10-01 10:00:00.000", "received_at": "2026-10-01 10:00:00.000"}).encode()


class Cut:
    """A database that stores rows, and ends before it says so."""

    def __init__(self, warehouse: Warehouse, *, stores: bool) -> None:
        self.export = warehouse.export
        self._warehouse = warehouse
        self._stores = stores

    def insert_lines(self, table: str, lines: bytes, token: str) -> None:
        if self._stores:
            self._warehouse.insert_lines(table, lines, token)
        raise WarehouseUnavailable("gone")


def leave_behind(warehouse: Warehouse, folder: Path, *, stores: bool) -> None:
    with (
        pytest.raises(WarehouseUnavailable),
        pending_rows(Cut(warehouse, stores=stores), folder, lambda _: True) as pending,
    ):
        pending.insert(LINE)
    assert len(list(folder.glob(PENDING_FILES))) == 1


@pytest.mark.parametrize("stores", [True, False])
def test_the_next_import_finishes_what_was_cut_off_and_tells_workers(
    warehouse: Warehouse, tmp_path: Path, *, stores: bool
) -> None:
    leave_behind(warehouse, tmp_path / "data", stores=stores)
    assert load_bytes(warehouse, tmp_path, json_lines(1)).stored == 1
    assert counts(warehouse) == (2, 2)
    assert list((tmp_path / "data").iterdir()) == []
    assert list(warehouse.query("SELECT count() FROM event_feed WHERE event = 'history_changed'")) == [(2,)]


def test_rows_of_somebody_who_was_erased_since_are_not_brought_back(
    embedded_warehouse: Warehouse, tmp_path: Path
) -> None:
    leave_behind(embedded_warehouse, tmp_path, stores=False)
    with pending_rows(embedded_warehouse, tmp_path, lambda _: False):
        assert counts(embedded_warehouse) == (0, 0)
    assert list(tmp_path.iterdir()) == []


def test_an_import_that_goes_on_is_left_alone(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    with pending_rows(embedded_warehouse, tmp_path, lambda _: True), pytest.raises(WarehouseUnavailable):
        leave_behind_and_look(embedded_warehouse, tmp_path)


def leave_behind_and_look(warehouse: Warehouse, folder: Path) -> None:
    with pending_rows(Cut(warehouse, stores=False), folder, lambda _: True) as pending:
        assert len(list(folder.glob(PENDING_FILES))) == 2
        with pending_rows(warehouse, folder, lambda _: True):
            assert len(list(folder.glob(PENDING_FILES))) == 3
        pending.insert(LINE)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"token":"t","size":500}\n' + LINE, b"\xff\n"])
def test_a_file_that_was_not_written_to_its_end_is_of_no_insert(
    embedded_warehouse: Warehouse, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "import-x.rows").write_bytes(content)
    with pending_rows(embedded_warehouse, tmp_path, lambda _: True):
        assert counts(embedded_warehouse) == (0, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(ConfigurationError, match=r"the data folder .* cannot be written"):
        load_bytes(embedded_warehouse, tmp_path, json_lines(1))


def test_without_a_folder_rows_are_kept_nowhere(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(json_lines(1, 2))
    assert import_file(embedded_warehouse, tmp_path / "file", SHOP, NOW_MS, lambda _: None).stored == 2
    PendingRows(embedded_warehouse, None).insert(LINE)
    assert counts(embedded_warehouse) == (3, 3)
