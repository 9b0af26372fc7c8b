"""`erase`, `export` and `audit`, on both engines, while nothing runs and beside a running product."""

from __future__ import annotations

import getpass
import json
from pathlib import Path

from click.testing import CliRunner, Result

from micromoment.__main__ import cli
from tests.micromoment.commands.history import run, store_history
from tests.micromoment.commands.running import running
from warehouse.errors import ConfigurationError

SITE = ("--site", "shop")


def erase(dsn: str, folder: Path, *arguments: str) -> Result:
    return run(dsn, folder, "erase", *arguments, *SITE)


def test_a_person_is_erased_and_the_rows_told(dsn: str, tmp_path: Path) -> None:
    store_history(dsn)
    result = erase(dsn, tmp_path, "anna", "--yes")
    assert result.exit_code == 0, result.exception
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["events", "3"] in lines
    assert result.stdout.splitlines()[-1].startswith("the person had 1 id; erased in ")
    left = run(dsn, tmp_path, "sql", "SELECT visitor_id, count() FROM events GROUP BY 1", "--format", "TSV").stdout
    assert left == "bob\t2\n"


def test_an_operator_is_asked_first(dsn: str, tmp_path: Path) -> None:
    store_history(dsn)
    settings = ("--clickhouse", dsn, "--data-folder", str(tmp_path))
    result = CliRunner().invoke(cli, ["erase", "anna", *SITE, *settings], input="n\n")
    assert result.exit_code == 1
    assert run(dsn, tmp_path, "sql", "SELECT count() FROM events", "--format", "TSV").stdout == "5\n"


def test_a_report_for_programs_is_one_object(dsn: str, tmp_path: Path) -> None:
    store_history(dsn)
    report = json.loads(erase(dsn, tmp_path, "anna", "--yes", "--format", "json").stdout)
    assert (report["ids"], report["rows"]["events"], report["waiting"]) == (1, 3, 0)


def test_an_export_is_lines_of_json(dsn: str, tmp_path: Path) -> None:
    store_history(dsn)
    result = run(dsn, tmp_path, "export", "anna", *SITE)
    head, *rows = map(json.loads, result.stdout.splitlines())
    assert head["person"]["ids"] == ["anna"]
    assert sorted(row["row"]["event"] for row in rows if row["table"] == "events") == ["hover", "hover", "purchase"]


def test_what_was_done_is_listed(dsn: str, tmp_path: Path) -> None:
    store_history(dsn)
    run(dsn, tmp_path, "export", "anna", *SITE)
    erase(dsn, tmp_path, "anna", "--yes")
    rows = [json.loads(line) for line in run(dsn, tmp_path, "audit", "--format", "json").stdout.splitlines()]
    assert [(row["action"], row["actor"]) for row in rows] == [
        ("erase", getpass.getuser()),
        ("export", getpass.getuser()),
    ]
    assert "anna" not in run(dsn, tmp_path, "audit").stdout


def test_between_two_sites_one_must_be_named(tmp_path: Path) -> None:
    config = tmp_path / "micromoment.toml"
    config.write_text('[sites.shop]\nwrite_key = "k"\n[sites.other]\nwrite_key = "o"\n')
    error = CliRunner().invoke(cli, ["erase", "anna", "--yes", "--config", str(config)]).exception
    assert isinstance(error, ConfigurationError)
    assert error.message == "--site: which of shop, other?"


def test_beside_a_running_product_it_is_the_same(tmp_path: Path) -> None:
    with running(tmp_path) as product:
        product.sends("hover", "anna-needle")
        assert product.has("SELECT count() FROM events")
        exported = product.run("export", "anna-needle")
        assert json.loads(exported.stdout.splitlines()[1])["row"]["visitor_id"] == "anna-needle"
        told = product.run("erase", "anna-needle", "--yes")
        assert "events                            1\n" in told.stdout
        files = [path for path in (tmp_path / "var").rglob("*") if path.is_file()]
        assert [path.name for path in files if b"anna-needle" in path.read_bytes()] == []
