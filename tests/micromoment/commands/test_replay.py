from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.micromoment.commands.history import FROM, TO, run, store_history, write_rules
from warehouse.errors import ConfigurationError, RuleError


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return write_rules(tmp_path)


def test_firings_are_told_as_lines_of_json_and_the_summary_beside_them(dsn: str, rules: Path) -> None:
    store_history(dsn)
    result = run(dsn, rules.parent, "backtest", str(rules / "lingers.yaml"), "--from", FROM, "--to", TO)
    assert result.exit_code == 0
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"rule": "lingers", "visitor_id": "anna", "key": "", "at": "2026-11-22T11:00:00.000Z"},
        {"rule": "lingers", "visitor_id": "anna", "key": "", "at": "2026-11-22T11:00:01.000Z"},
    ]
    *_, header, row = result.stderr.splitlines()
    assert header.split() == ["rule", "firings", "visitors", "per", "day", "capped", "quiet", "goal"]
    assert row.split() == ["lingers", "2", "1", "48.00", "1", "0", "100.0%"]


def test_a_broken_rule_is_told_and_does_not_stop_the_others(dsn: str, rules: Path) -> None:
    store_history(dsn)
    result = run(dsn, rules.parent, "backtest", str(rules), "--from", FROM, "--to", TO)
    assert result.exit_code == 1
    assert "broken.yaml:2:" in result.stderr
    assert len(result.stdout.splitlines()) == 2


def test_a_rule_that_never_fires_is_in_the_summary(dsn: str, rules: Path) -> None:
    result = run(dsn, rules.parent, "backtest", str(rules / "lingers.yaml"), "--since", "1h")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.splitlines()[-1].split() == ["lingers", "0", "0", "0.00", "0", "0", "-"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--since", "soon"], "expected a duration"),
        (["--from", "soon"], "expected an instant"),
        (["--since", "1d", "--from", FROM], "give one of them"),
        (["--from", TO, "--to", FROM], "the range is empty"),
        (["--from", FROM, "--to", FROM], "the range is empty"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused(rules: Path, options: list[str], expected: str) -> None:
    result = run("chdb://nowhere", rules.parent, "backtest", str(rules), *options)
    assert result.exit_code == 2
    assert expected in result.stderr


def test_without_a_valid_rule_nothing_is_replayed(rules: Path) -> None:
    result = run("chdb://nowhere", rules.parent, "backtest", str(rules / "broken.yaml"))
    assert isinstance(result.exception, RuleError)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_rules(tmp_path).parent


@pytest.fixture
def stored(dsn: str) -> str:
    store_history(dsn)
    return dsn


def test_the_first_condition_that_failed_is_told_with_its_value(stored: str, folder: Path) -> None:
    result = run(stored, folder, "explain", "lingers", "bob", "--at", TO)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "lingers does not qualify for bob at 2026-11-22T11:00:01.000Z",
        "first failed: if: count(click, 1h) == 0 (count(click, 1h) is 1)",
        "when",
        "  ✓ hover: hover at 2026-11-22T11:00:01.000Z",
        "if",
        "  ✗ count(click, 1h) == 0: false",
        "      count(click, 1h): 1",
        "every",
        "  ✓ 0s: never before",
    ]


def test_a_visitor_who_qualifies_is_told_so(stored: str, folder: Path) -> None:
    result = run(stored, folder, "explain", "lingers", "anna", "--at", "2026-11-22T11:00:00Z")
    assert result.stdout.startswith("lingers qualifies for anna at 2026-11-22T11:00:00.000Z\nwhen\n")


def test_a_rule_may_be_a_file(stored: str, folder: Path) -> None:
    result = run(stored, folder, "explain", str(folder / "rules" / "lingers.yaml"), "anna", "--at", TO)
    assert result.stdout.startswith("lingers qualifies for anna at 2026-11-22T11:00:01.000Z\n")


def test_an_explanation_is_told_as_json(stored: str, folder: Path) -> None:
    result = run(stored, folder, "explain", "lingers", "bob", "--at", TO, "--format", "json", "--site", "shop")
    told = json.loads(result.stdout)
    assert (told["outcome"], told["failed"]["text"]) == ("fails", "count(click, 1h) == 0")


def test_what_a_page_sent_gives_a_terminal_no_commands(stored: str, folder: Path) -> None:
    result = run(stored, folder, "explain", "lingers", "bad\x1b[2J\u009b", "--site", "shop")
    assert "bad�[2J�" in result.stdout
    assert "\x1b" not in result.stdout


def test_an_unknown_rule_or_visitor_is_told(stored: str, folder: Path) -> None:
    assert isinstance(run(stored, folder, "explain", "broken", "bob").exception, RuleError)
    assert isinstance(run(stored, folder, "explain", "lingers", "nobody").exception, ConfigurationError)
