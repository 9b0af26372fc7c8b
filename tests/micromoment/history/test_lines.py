"""Encodings, marks, ends of lines and lengths of lines."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micromoment.history.lines import MAX_LINE_BYTES, FileText
from micromoment.history.packed import GAP
from tests.micromoment.history.files import json_lines, load, load_bytes
from warehouse.connection import Warehouse
from warehouse.errors import ConfigurationError

THREE = json_lines(1, 2, 3)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(codecs.BOM_UTF8 + THREE, id="UTF-8 with a mark"),
        pytest.param(THREE.decode().encode("utf-16"), id="UTF-16"),
        pytest.param(codecs.BOM_UTF16_BE + THREE.decode().encode("utf-16-be"), id="UTF-16, big end first"),
        pytest.param(THREE.decode().encode("utf-16-le"), id="UTF-16 without a mark"),
        pytest.param(THREE.decode().encode("utf-16-be"), id="UTF-16, big end first, without a mark"),
        pytest.param(THREE.decode().encode("utf-32"), id="UTF-32"),
        pytest.param(THREE.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(THREE.replace(b"\n", b"\r"), id="CR"),
        pytest.param(THREE.replace(b"\n", b"\n\n \r\n\t\n"), id="blank lines"),
        pytest.param(b"\n\n" + THREE.rstrip(), id="without a last end of line"),
        pytest.param(codecs.BOM_UTF8 + json_lines(1) + codecs.BOM_UTF8 + json_lines(2, 3), id="two files put together"),
    ],
)
def test_lines_are_read_however_they_are_encoded_and_ended(
    warehouse: Warehouse, tmp_path: Path, content: bytes
) -> None:
    report = load_bytes(warehouse, tmp_path, content)
    assert (report.stored, report.lines, report.is_complete) == (3, 3, True), report.examples


def test_a_line_that_is_no_utf8_is_dropped_with_its_number_alone(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    report = load_bytes(embedded_warehouse, tmp_path, json_lines(1) + b'{"a": "\xff"}\n' + json_lines(2))
    assert (report.stored, report.dropped) == (2, {"malformed": 1})
    assert report.examples[0].startswith("line 2: malformed: ")


def test_what_is_no_json_in_a_value_is_mended_and_told(warehouse: Warehouse, tmp_path: Path) -> None:
    damaged = json_lines(1).replace(b"}", b', "messageId": null, "properties": {"price": NaN, "note": "x\\ud83d"}}')
    report = load_bytes(warehouse, tmp_path, damaged * 2)
    assert (report.stored, report.is_complete) == (2, True)
    assert set(report.warned) == {"number_repaired", "text_repaired"}
    assert report.examples[0].startswith("line 1: ")
    assert load_bytes(warehouse, tmp_path, damaged * 2).known == 2


def test_an_encoding_can_be_said_and_one_that_there_is_not_is_refused(
    embedded_warehouse: Warehouse, tmp_path: Path
) -> None:
    text = THREE.decode().replace("view_item", "größer").encode("windows-1252")
    assert load_bytes(embedded_warehouse, tmp_path, text, encoding="windows-1252").stored == 3
    assert set(embedded_warehouse.query("SELECT event FROM events")) == {("größer",)}
    with pytest.raises(ConfigurationError, match="there is no encoding 'klingon'"):
        load_bytes(embedded_warehouse, tmp_path, text, encoding="klingon")


@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_very_long_line_is_passed_over_in_bounded_memory(
    embedded_warehouse: Warehouse, tmp_path: Path, end: bytes
) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.write(json_lines(1) + b'{"a": "')
        for _ in range(50):
            file.write(b"x" * 1_000_000)
        file.write(b'x"}' + end + (json_lines(2) if end else b""))
    report = load(embedded_warehouse, path)
    assert (report.stored, report.dropped) == (2 if end else 1, {"too_large": 1})
    assert report.examples == ["line 2: too_large: the line is longer than 1,048,576 bytes"]


@given(
    st.text(alphabet="ab\n\r é"),
    st.lists(st.integers(1, 7), min_size=1),
    st.sampled_from(["utf-8", "utf-16", "utf-32"]),
)
def test_lines_are_the_same_in_whatever_pieces_they_come(text: str, sizes: list[int], encoding: str) -> None:
    content = text.encode(encoding)
    whole = list(FileText([content] if content else []).lines(refuse))
    pieces = [piece for piece in cut(content, sizes) if piece]
    assert list(FileText(pieces).lines(refuse)) == whole
    if "\r" not in text:
        expected = text.removesuffix("\n").split("\n") if text else []
        assert [line.decode() for _, line in whole] == expected


def test_a_line_that_a_gap_cuts_off_is_not_used() -> None:
    noted: list[tuple[int, str, str]] = []
    text = FileText([b"one\ntwo", GAP, b"ee\nfour\n"])
    assert list(text.lines(lambda *told: noted.append(told))) == [(1, b"one"), (3, b"ee"), (4, b"four")]
    assert noted == [(2, "cut_off", "it ends where bytes of the file are missing")]


def test_the_longest_line_that_is_kept() -> None:
    blocks = [b"a" * MAX_LINE_BYTES, b"\n", b"b" * MAX_LINE_BYTES + b"b", b"b", b"\nc"]
    noted: list[int] = []
    lines = dict(FileText(blocks).lines(lambda number, *_: noted.append(number)))
    assert (set(lines), noted) == ({1, 3}, [2])


def refuse(number: int, reason: str, detail: str) -> None:
    raise AssertionError(number, reason, detail)


def cut(content: bytes, sizes: list[int]) -> list[bytes]:
    pieces = []
    while content:
        sizes = [*sizes[1:], sizes[0]]
        pieces.append(content[: sizes[0]])
        content = content[sizes[0] :]
    return pieces
