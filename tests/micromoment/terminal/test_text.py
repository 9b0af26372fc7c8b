from __future__ import annotations

import json

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from micromoment.terminal.text import Instant, format_table, json_line, plain


def test_figures_are_aligned_right_and_the_first_columns_left() -> None:
    table = format_table(("rule", "why", "firings"), [("a", "", "10,000"), ("longer", "because", "7")], left=2)
    assert table.splitlines() == [
        "rule    why      firings",
        "a                 10,000",
        "longer  because        7",
    ]


def test_no_line_ends_with_blanks_and_the_last_with_a_line_break() -> None:
    assert format_table(("rule", "when"), [("a", "")], left=2) == "rule  when\na\n"


def test_a_table_without_rows_is_its_header() -> None:
    assert format_table(("rule", "firings"), []) == "rule  firings\n"


@given(st.text())
def test_a_terminal_obeys_nothing_in_plain_text(text: str) -> None:
    shown = plain(text)
    assert len(shown) == len(text)
    assert shown.isprintable()


def test_plain_text_keeps_what_can_be_read() -> None:
    assert plain("Grüße, 雪\x1b[2J\n") == "Grüße, 雪�[2J�"


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none()))
def test_a_line_of_json_is_one_line(value: dict[str, object]) -> None:
    line = json_line(value)
    assert line.count("\n") == 1
    assert line.endswith("\n")
    assert json.loads(line) == value


@click.command()
@click.option("--at", type=Instant())
def ask(at: int | None) -> None:
    """Print the instant that was given."""
    click.echo(at)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-22T12:00:00Z", 1_795_348_800_000),
        ("2026-11-22T12:00:00", 1_795_348_800_000),
        ("2026-11-22T13:00:00+01:00", 1_795_348_800_000),
        ("2026-11-22T12:00:00.5Z", 1_795_348_800_500),
        ("2026-11-22", 1_795_305_600_000),
    ],
)
def test_an_instant_is_read_as_utc_unless_it_says_otherwise(text: str, at: int) -> None:
    assert CliRunner().invoke(ask, ["--at", text]).stdout == f"{at}\n"


@pytest.mark.parametrize("text", ["soon", "2026-13-01", "12:00", ""])
def test_what_is_no_instant_is_refused_with_an_example(text: str) -> None:
    result = CliRunner().invoke(ask, ["--at", text])
    assert result.exit_code == 2
    assert f"expected an instant such as 2026-11-22T12:00:00Z, found {text!r}" in result.stderr
