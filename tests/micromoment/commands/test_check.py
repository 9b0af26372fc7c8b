"""`check` says what is wrong with what is beside the rules, too."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from micromoment.__main__ import cli


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
