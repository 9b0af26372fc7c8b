"""What a file holds is found out by its content; what cannot be imported is refused in words."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.micromoment.history.files import json_lines, load_bytes
from warehouse.connection import Warehouse
from warehouse.errors import ConfigurationError


def zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("history.jsonl", json_lines(1))
    return content.getvalue()


def tarred() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        info = tarfile.TarInfo("history.jsonl")
        info.size = len(json_lines(1))
        archive.addfile(info, io.BytesIO(json_lines(1)))
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(zipped(), "is a ZIP archive, or a workbook of Excel", id="zip"),
        pytest.param(tarred(), "is a tar archive", id="tar.gz"),
        pytest.param(b"PAR1\x15\x04", "is a Parquet file", id="parquet"),
        pytest.param(b"\x7fELF\x02\x01\x01\0\0\0", "is no text", id="a program"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is no text", id="a picture"),
        pytest.param(b"\n<!DOCTYPE html>\n<html>", "is an HTML page", id="a page"),
        pytest.param(b"<HTML><body>Not found", "is an HTML page", id="another page"),
        pytest.param(gzip.compress(b"<html>"), "is an HTML page", id="a packed page"),
        pytest.param(b'<?xml version="1.0"?><rss/>', "is XML", id="XML"),
        pytest.param(b"just some words\nand more of them\n", "no column tells who", id="prose"),
    ],
)
def test_what_cannot_be_imported_is_named_with_the_remedy(
    embedded_warehouse: Warehouse, tmp_path: Path, content: bytes, message: str
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load_bytes(embedded_warehouse, tmp_path, content)
    assert message in raised.value.message
    assert str(tmp_path / "file") in raised.value.message
    assert raised.value.hint


@pytest.mark.parametrize("content", [b"", gzip.compress(b"", mtime=0), b"\xef\xbb\xbf"])
def test_a_file_of_nothing_is_no_complete_import(embedded_warehouse: Warehouse, tmp_path: Path, content: bytes) -> None:
    report = load_bytes(embedded_warehouse, tmp_path, content)
    assert (report.lines, report.stored, report.is_complete) == (0, 0, False)


@pytest.mark.parametrize(
    ("content", "described"),
    [
        (json_lines(1), "JSON lines of the tracking API"),
        (b"garbage first\n" + json_lines(1), "JSON lines of the tracking API"),
        (b"[" + json_lines(1) + b"]", "JSON of the tracking API"),
        (gzip.compress(json_lines(1)), "JSON lines of the tracking API; gzip"),
        (json_lines(1).decode().encode("utf-16"), "JSON lines of the tracking API; utf-16-le"),
        (
            b"user_id;event;ts\nu;hover;2026-10-01\n",
            "a table, by `;`, decimal `.`: user_id -> userId, event -> event, ts -> timestamp",
        ),
    ],
)
def test_what_was_found_out_is_told(
    embedded_warehouse: Warehouse, tmp_path: Path, content: bytes, described: str
) -> None:
    assert load_bytes(embedded_warehouse, tmp_path, content).described == described


def test_a_format_that_is_said_wins(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    report = load_bytes(embedded_warehouse, tmp_path, json_lines(1), format="ga4")
    assert report.described == "JSON lines of a GA4 export"
    assert report.dropped == {"no_visitor": 1}
