from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from micromoment.__main__ import cli
from tests.micromoment.commands.history import run, write_rules
from tests.trigger_worker.rules.files.test_expressions import DEAR
from tests.trigger_worker.rules.files.test_read import MALFORMED, MALFORMED_SEND
from tests.trigger_worker.stored import fire
from trigger_worker.store.records import Records
from warehouse.connection import connect
from warehouse.migrations import migrate

DAY = 86_400_000


def test_rules_are_listed_with_their_state_and_their_firings_today(dsn: str, tmp_path: Path) -> None:
    write_rules(tmp_path)
    now = time.time_ns() // 1_000_000
    with connect(dsn) as warehouse:
        migrate(warehouse)
        fires = [fire("today", at=now + DAY), fire("today", at=now + DAY), fire("once", at=now - 2 * DAY)]
        Records(warehouse).store_fires(fires, now)
    broken, lingers = sorted(
        (json.loads(line) for line in run(dsn, tmp_path, "rules", "--format", "json").stdout.splitlines()),
        key=lambda state: state["state"],
    )
    assert (lingers["rule"], lingers["state"], lingers["firings_today"]) == ("lingers", "live", 1)
    assert (lingers["when"], len(lingers["version"])) == ("hover", 12)
    assert (broken["rule"], broken["state"], broken["version"]) == ("rules/broken.yaml", "invalid", "")
    assert broken["reason"].startswith("rules/broken.yaml:2:")


def test_the_list_is_a_table(dsn: str, tmp_path: Path) -> None:
    write_rules(tmp_path)
    header, live, invalid = run(dsn, tmp_path, "rules").stdout.splitlines()
    assert header.split() == ["rule", "state", "version", "today", "when"]
    assert live.split()[:2] == ["lingers", "live"]
    assert invalid.split()[:2] == ["rules/broken.yaml", "invalid"]


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        ("policy.yaml", "holdout: lots\n", 'policy.yaml:1:10: expected a share from 0% to 100%, found "lots"'),
        ("suppressions.txt", "# letters\nann\n", "suppressions.txt:2: expected an email address or a telephone number"),
    ],
)
def test_a_mistake_beside_the_rules_is_an_error(tmp_path: Path, file: str, text: str, problem: str) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / file).write_text(text)
    checked = CliRunner().invoke(cli, ["check", str(tmp_path / "rules")])
    assert problem in checked.output
    assert checked.exit_code == 1
    (tmp_path / file).unlink()
    assert CliRunner().invoke(cli, ["check", str(tmp_path / "rules")]).exit_code == 0


def test_each_malformed_rule_has_its_own_problem_at_its_place(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "fine.yaml").write_text("id: fine\nwhen: search\n")
    (tmp_path / "audiences.yaml").write_text("segments: {vip: true}\nstages: {loyal: true}\nscores: {heat: 1}\n")
    expected = []
    for number, (body, problem) in enumerate([*MALFORMED, *MALFORMED_SEND]):
        name = f"rule-{number:03}.yaml"
        (rules / name).write_text(f"id: r\nwhen: search\n{body}\n")
        expected.append(f"rules/{name}:{problem}")
    checked = CliRunner().invoke(cli, ["check", str(rules)])
    assert checked.stdout.splitlines() == expected
    assert len(expected) >= 60
    assert (checked.exit_code, checked.stderr) == (1, f"1 rules are valid; {len(expected)} errors, 0 warnings\n")


def test_a_rule_that_costs_too_much_is_among_them(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    for number, (body, _) in enumerate(DEAR):
        (tmp_path / "rules" / f"rule-{number}.yaml").write_text(f"id: rule-{number}\n{body}\n")
    checked = CliRunner().invoke(cli, ["check", str(tmp_path / "rules")])
    assert checked.stdout.count("any would read all that a visitor did") == sum(len(places) for _, places in DEAR)
    assert checked.stderr.startswith("0 rules are valid; ")
