"""`import` and `sql`."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from micromoment.__main__ import cli
from tests.micromoment.commands.history import run, store_history
from warehouse.errors import ConfigurationError, WarehouseError

#: Two shops in one installation.
TWO_SITES = '[sites.shop]\nwrite_key = "k"\n[sites.other]\nwrite_key = "o"\nretention_days = 30\n'


def line(number: int, **fields: Any) -> str:
    usual = {"type": "track", "event": "hover", "anonymousId": "anna", "messageId": f"m{number}"}
    return json.dumps({**usual, "timestamp": f"2026-11-22T11:00:0{number}.000Z", **fields})


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Two events and a line that is none."""
    path = tmp_path / "history.jsonl"
    path.write_text("\n".join([line(1), "nonsense", line(2)]))
    return path


def load(dsn: str, folder: Path, *arguments: str) -> Result:
    return run(dsn, folder, "import", str(folder / "history.jsonl"), *arguments)


def rows(dsn: str, folder: Path, sql: str) -> str:
    return run(dsn, folder, "sql", sql, "--format", "TSV").stdout


def test_what_was_stored_and_what_is_no_event_is_told(dsn: str, history: Path) -> None:
    result = load(dsn, history.parent)
    assert result.exit_code == 1
    told = result.stderr[result.stderr.index("history.jsonl: JSON") :].splitlines()
    assert told[:4] == [
        "history.jsonl: JSON lines of the tracking API",
        "2 events stored, 0 stored before",
        "1 lines dropped: malformed",
        "  remedy: mend these lines, and import the file again: nothing is stored twice",
    ]
    assert told[4].startswith("  line 2: malformed: ")


def test_what_is_wrong_with_a_file_is_told_among_the_warnings(dsn: str, history: Path) -> None:
    load(dsn, history.parent)
    (fault,) = map(json.loads, run(dsn, history.parent, "warnings", "--format", "json").stdout.splitlines())
    assert (fault["site"], fault["kind"], fault["code"], fault["events"]) == ("default", "drop", "malformed", 1)
    assert [example["sender"] for example in fault["examples"]] == ["micromoment import"]


def test_a_file_that_is_loaded_again_stores_nothing_new(dsn: str, history: Path) -> None:
    history.write_text(line(1))
    assert load(dsn, history.parent).exit_code == 0
    again = load(dsn, history.parent)
    assert (again.exit_code, again.stdout) == (0, "")
    assert "0 events stored, 1 stored before" in again.stderr
    assert rows(dsn, history.parent, "SELECT site, event, count() FROM events GROUP BY ALL") == "default\thover\t1\n"


def test_history_goes_to_the_site_that_is_named(dsn: str, history: Path) -> None:
    config = history.with_name("micromoment.toml")
    config.write_text(TWO_SITES)
    load(dsn, history.parent, "--config", str(config), "--site", "other")
    sql = "SELECT site, retention_days, count() FROM events GROUP BY ALL"
    assert rows(dsn, history.parent, sql) == "other\t30\t2\n"


def test_between_two_sites_one_must_be_named(history: Path) -> None:
    config = history.with_name("micromoment.toml")
    config.write_text(TWO_SITES)
    error = load("chdb://nowhere", history.parent, "--config", str(config)).exception
    assert isinstance(error, ConfigurationError)
    assert (error.message, error.hint) == ("--site: which of shop, other?", "give --site NAME")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["import", str(tmp_path / "nothing.jsonl")])
    assert result.exit_code == 2
    assert "does not exist" in result.stderr


def test_a_site_that_there_is_not_is_refused_with_the_nearest(history: Path) -> None:
    config = history.with_name("micromoment.toml")
    config.write_text(TWO_SITES)
    error = load("chdb://nowhere", history.parent, "--config", str(config), "--site", "shpo").exception
    assert isinstance(error, ConfigurationError)
    assert error.message == "--site: there is no site 'shpo'; there is shop, other"
    assert error.hint.startswith("give --site shop, or add [sites.shpo]")


def test_several_files_are_loaded_one_after_another(dsn: str, tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"{number}.jsonl").write_text(line(number))
    result = run(dsn, tmp_path, "import", str(tmp_path / "1.jsonl"), str(tmp_path / "2.jsonl"))
    assert (result.exit_code, result.stderr.count("1 events stored")) == (0, 2)
    assert rows(dsn, tmp_path, "SELECT count() FROM events") == "2\n"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_standard_input_is_a_file_too(dsn: str, tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    settings = ("--clickhouse", dsn, "--data-folder", str(tmp_path))
    result = CliRunner().invoke(cli, ["import", "-", *settings], input=pack(line(1).encode()))
    assert (result.exit_code, "1 events stored" in result.stderr) == (0, True)
    assert rows(dsn, tmp_path, "SELECT count() FROM events") == "1\n"


def test_a_damaged_file_is_told_with_the_remedy_and_by_the_status(dsn: str, history: Path) -> None:
    history.write_bytes(gzip.compress(line(1).encode() + b"\n" + line(2).encode())[:-8])
    result = load(dsn, history.parent)
    assert result.exit_code == 1
    assert "damaged: the gzip data ends too early: the rest of the file is missing" in result.stderr
    assert "  remedy: get the file again, and import it again: nothing is stored twice" in result.stderr


def test_a_file_that_holds_nothing_is_told(dsn: str, history: Path) -> None:
    history.write_text("\n\n")
    result = load(dsn, history.parent)
    assert (result.exit_code, "history.jsonl holds nothing: 0 lines" in result.stderr) == (1, True)


def test_a_table_is_mapped_and_a_suppression_list_is_noted(dsn: str, tmp_path: Path) -> None:
    (tmp_path / "visits.csv").write_text("who;when;what\nu1;22.11.2026 10:00;seen\n")
    (tmp_path / "mapping.yaml").write_text(
        "columns: {who: userId, when: timestamp, what: event}\ntime_format: '%d.%m.%Y %H:%M'\n"
    )
    (tmp_path / "suppressed.csv").write_text("email,reason\nann@example.com,unsubscribed\n")
    mapped = run(dsn, tmp_path, "import", str(tmp_path / "visits.csv"), "--mapping", str(tmp_path / "mapping.yaml"))
    assert (mapped.exit_code, "1 events stored, 0 stored before" in mapped.stderr) == (0, True)
    listed = run(dsn, tmp_path, "import", str(tmp_path / "suppressed.csv"), "--format", "klaviyo")
    assert (listed.exit_code, "1 facts of addresses stored" in listed.stderr) == (0, True)
    assert rows(dsn, tmp_path, "SELECT channel, fact, source FROM address_facts") == "email\tleft\timport\n"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["import", str(tmp_path)])
    assert (result.exit_code, "is a directory" in result.stderr) == (2, True)


def test_a_query_is_answered_as_a_table_or_as_asked(dsn: str, tmp_path: Path) -> None:
    store_history(dsn)
    sql = "SELECT event, count() AS n FROM events GROUP BY event ORDER BY n DESC, event;"
    assert ["1.", "│", "hover", "│", "3", "│"] in [
        line.split() for line in run(dsn, tmp_path, "sql", sql).stdout.splitlines()
    ]
    assert rows(dsn, tmp_path, sql) == "hover\t3\nclick\t1\npurchase\t1\n"


def test_an_answer_ends_with_one_line_break_and_no_answer_is_nothing(dsn: str, tmp_path: Path) -> None:
    assert run(dsn, tmp_path, "sql", "SELECT 1", "--format", "JSONEachRow").stdout == '{"1":1}\n'
    assert run(dsn, tmp_path, "sql", "SELECT 1", "--format", "RawBLOB").stdout.endswith("\n")
    assert rows(dsn, tmp_path, "SELECT event FROM events") == ""


@pytest.mark.parametrize("sql", ["DROP TABLE events", "INSERT INTO worker_cursor (worker) VALUES ('w')", "SELEC 1"])
def test_what_is_no_reading_query_is_refused(dsn: str, tmp_path: Path, sql: str) -> None:
    assert isinstance(run(dsn, tmp_path, "sql", sql).exception, WarehouseError)
    assert rows(dsn, tmp_path, "SELECT count() FROM worker_cursor") == "0\n"
