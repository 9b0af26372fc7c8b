"""Answers of ClickHouse are safe for terminals and spreadsheets, on both engines."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micromoment.terminal.answers import guarded_answer, shown_answer
from micromoment.terminal.text import harmless, json_line
from tests.micromoment.commands.history import run

CALCULATED: Final = ("=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", '=HYPERLINK("http://x")')
OBEYED: Final = (
    "\x1b",
    "\x07",
    "\x9b",
    "\x08",
    "\x7f",
    "\u202e",
    "\u2066",
    "\u2028",
    "\U000e0041",
    "\ud800",
)


def cells_of(values: tuple[str, ...]) -> str:
    """Return a query of one column with these values."""
    texts = ", ".join(f"unhex('{value.encode().hex()}')" for value in values)
    return f"SELECT arrayJoin([{texts}]) AS cell, 'plain', -5, toFloat64(-1e-9)"


@pytest.mark.parametrize("format_name", ["CSV", "CSVWithNames"])
def test_no_cell_of_a_csv_is_calculated(dsn: str, tmp_path: Path, format_name: str) -> None:
    answer = run(dsn, tmp_path, "sql", cells_of(CALCULATED), "--format", format_name).stdout_bytes.decode()
    rows = list(csv.reader(io.StringIO(answer, newline="")))[-len(CALCULATED) :]
    assert [row[0] for row in rows] == [f"'{value}" for value in CALCULATED]
    assert {tuple(row[1:]) for row in rows} == {("plain", "-5", "-1e-9")}


@pytest.mark.parametrize("format_name", ["TSV", "TabSeparatedWithNames"])
def test_no_cell_of_a_tsv_is_calculated(dsn: str, tmp_path: Path, format_name: str) -> None:
    answer = run(dsn, tmp_path, "sql", cells_of(CALCULATED), "--format", format_name).stdout_bytes.decode()
    rows = [line.split("\t") for line in answer.split("\n")[:-1]][-len(CALCULATED) :]
    # There, a number in a text is written as any other number.
    assert [row[0].removeprefix("\\") for row in rows if row[0][0] != "'"] == ["+1"]
    assert {tuple(row[1:]) for row in rows} == {("plain", "-5", "-1e-9")}


def test_whoever_asks_for_it_gets_cells_as_they_are(dsn: str, tmp_path: Path) -> None:
    assert run(dsn, tmp_path, "sql", "SELECT '=1+1'", "--format", "CSV", "--raw").stdout == '"=1+1"\n'


@pytest.mark.parametrize("format_name", ["PrettyCompactMonoBlock", "Pretty", "Vertical", "Markdown"])
def test_no_answer_for_people_commands_the_terminal(dsn: str, tmp_path: Path, format_name: str) -> None:
    text = "".join(OBEYED[:-1]).encode().hex()
    answer = run(dsn, tmp_path, "sql", f"SELECT concat('be', unhex('{text}'), 'fore')", "--format", format_name)
    # What ClickHouse itself draws with, colours, is no matter: it draws none into a pipe.
    assert answer.stdout == harmless(answer.stdout)
    assert "fore" in answer.stdout


@given(st.binary())
def test_a_terminal_is_shown_harmless_text_in_any_format(answer: bytes) -> None:
    shown = shown_answer(answer, "RawBLOB", is_terminal=True).decode()
    assert shown == harmless(shown)
    assert shown_answer(answer, "RawBLOB", is_terminal=False) == answer


@given(st.lists(st.text(alphabet='=+-@",\n\r\tab'), min_size=1, max_size=5))
def test_a_guarded_csv_holds_the_same_cells(cells: list[str]) -> None:
    line = ",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in cells).encode()
    (guarded,) = csv.reader(io.StringIO(guarded_answer(line, "CSV").decode(), newline=""), strict=True)
    assert [cell.removeprefix("'") for cell in guarded] == cells
    assert not any(cell[:1] and cell[0] in "=+-@\t\r\n" for cell in guarded)


@pytest.mark.parametrize("text", OBEYED)
def test_what_a_terminal_obeys_is_replaced_in_text_and_escaped_in_json(text: str) -> None:
    assert harmless(f"a{text}b") == "a\ufffdb"
    if text != "\ud800":
        line = json_line({"said": text})
        assert line == harmless(line)
        assert json.loads(line) == {"said": text}


def test_what_people_write_stays() -> None:
    text = "Grüße 雪 👩‍🚒\tthe next:\n12\u00a0000 €"
    assert harmless(text) == text
