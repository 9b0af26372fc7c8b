"""`check` tells an operator every problem of every malformed rule, and lets the others be."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from micromoment.__main__ import cli
from tests.trigger_worker.rules.files.test_expressions import DEAR
from tests.trigger_worker.rules.files.test_read import MALFORMED, MALFORMED_SEND


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
