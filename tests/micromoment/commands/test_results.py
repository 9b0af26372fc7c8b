from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.micromoment.commands.history import run
from tests.trigger_worker.stored import NOON, event_row, fire, queued, store
from trigger_worker.rules.files.read import read_rule
from trigger_worker.rules.language.check import AudienceNames
from trigger_worker.store.decisions import DecisionRecord
from trigger_worker.store.records import Records
from warehouse.connection import connect
from warehouse.errors import RuleError
from warehouse.migrations import migrate

AT = "2026-11-23T12:00:00Z"
HEAD = "id: lingers\nwhen: hover\nsend: [{banner: hello}]\n"
RULE = f"{HEAD}goal: purchase within 1h\nexperiment: {{holdout: 50%}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "lingers.yaml").write_text(RULE)
    return tmp_path


def expose(dsn: str) -> str:
    """Store 400 visitors, half of them held out, 30 of those and 60 of the others buyers; return the version."""
    rule = read_rule(RULE, "rules/lingers.yaml", AudienceNames()).rule
    assert rule is not None
    with connect(dsn) as warehouse:
        migrate(warehouse)
        visitors = [f"visitor-{number:03}" for number in range(400)]
        fires = [fire(visitor, visitor_id=visitor, version=rule.version) for visitor in visitors]
        decisions = []
        for number, visitor in enumerate(visitors):
            message = queued(f"message-{visitor}", fire_id=visitor, visitor_id=visitor)
            if number % 2:
                decisions.append(DecisionRecord(message, "send", "passed", {}, NOON))
            else:
                decisions.append(DecisionRecord(message, "drop", "holdout", {"holdout": "rule"}, NOON))
        Records(warehouse).store_fires(fires, NOON)
        Records(warehouse).store_decisions(decisions)
        buyers = visitors[0:60:2] + visitors[1:121:2]
        store(warehouse, *(event_row("purchase", visitor, NOON + 1, value=20) for visitor in buyers))
    return rule.version


def test_an_experiment_is_told_in_a_table(dsn: str, folder: Path) -> None:
    version = expose(dsn)
    result = run(dsn, folder, "results", "lingers", "--at", AT)
    assert result.exit_code == 0, result.output
    first, _header, holdout, treated, _, *notes = result.stdout.splitlines()
    assert first == f"lingers, version {version}, until 2026-11-23T12:00:00.000Z"
    assert holdout.split() == ["holdout", "200", "30", "15.00%", "-", "-", "-", "-", "0.0%", "600.00", "3.0000", "-"]
    assert treated.split()[:6] == ["treated", "200", "60", "30.00%", "+15.00%", "+100.0%"]
    assert notes == [
        "sample ratio: p = 1.0000, as the weights promise",
        "intervals: 95% for each arm against holdout, however often you look",
        "smallest sample: 9,003 visitors in each arm to find an uplift of 10.0% (relative), power 80%, in one look",
    ]


def test_the_same_is_told_as_json(dsn: str, folder: Path) -> None:
    version = expose(dsn)
    result = run(dsn, folder, "results", "lingers", "--at", AT, "--format", "json", "--confidence", "90%")
    told = json.loads(result.stdout)
    assert (told["rule"], told["version"], told["results"]["control"]) == ("lingers", version, "holdout")
    assert told["results"]["alpha"] == pytest.approx(0.1)
    assert [arm["data"]["conversions"] for arm in told["results"]["arms"]] == [30, 60]


def test_before_anybody_was_exposed_there_is_nothing_to_tell(dsn: str, folder: Path) -> None:
    expose(dsn)
    result = run(dsn, folder, "results", "lingers", "--version", "another")
    assert "sample ratio: nothing to check" in result.stdout
    assert "intervals: none yet" in result.stdout
    assert "smallest sample: unknown while nobody of holdout has converted" in result.stdout


@pytest.mark.parametrize(
    ("text", "expected"),
    [(f"{HEAD}goal: purchase\n", "has no experiment"), (f"{HEAD}experiment: {{holdout: 5%}}\n", "has no goal")],
)
def test_a_rule_that_measures_nothing_is_refused(dsn: str, folder: Path, text: str, expected: str) -> None:
    (folder / "rules" / "lingers.yaml").write_text(text)
    error = run(dsn, folder, "results", "lingers").exception
    assert isinstance(error, RuleError)
    assert expected in str(error)


@pytest.mark.parametrize("option", ["--effect", "--confidence"])
@pytest.mark.parametrize("value", ["much", "0%", "100%"])
def test_a_share_that_makes_no_sense_is_refused(folder: Path, option: str, value: str) -> None:
    result = run("chdb://nowhere", folder, "results", "lingers", option, value)
    assert result.exit_code == 2
    assert "expected" in result.stderr
