from __future__ import annotations

import json
import time
from pathlib import Path

from tests.micromoment.commands.history import run, write_rules
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
