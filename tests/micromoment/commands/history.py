"""A folder with rules, and the events of a shop."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from micromoment.__main__ import cli
from tests.trigger_worker.stored import NOON, event_row, store
from warehouse.connection import connect
from warehouse.migrations import migrate

FROM, TO = "2026-11-22T11:00:00Z", "2026-11-22T12:00:00Z"


def write_rules(folder: Path) -> Path:
    """Write two rules, one of them broken, with a policy beside them; return their folder."""
    rules = folder / "rules"
    rules.mkdir()
    lingers = "id: lingers\nwhen: hover\nif: count(click, 1h) == 0\nevery: 0\ngoal: purchase within 1h\nsend:\n"
    (rules / "lingers.yaml").write_text(f"{lingers}  - banner: hello\n")
    (rules / "broken.yaml").write_text("id: broken\nwhen: hover ->\n")
    (folder / "policy.yaml").write_text("caps:\n  - {channel: banner, max: 1, per: 1h}\n")
    return rules


def store_history(dsn: str) -> None:
    """Store two hovers of anna's, at noon in Berlin, a purchase, and a click before a hover of bob's."""
    with connect(dsn) as warehouse:
        migrate(warehouse)
        store(
            warehouse,
            event_row("hover"),
            event_row("hover", at=NOON + 1000),
            event_row("purchase", at=NOON + 2000),
            event_row("click", "bob", at=NOON),
            event_row("hover", "bob", at=NOON + 1000),
        )


def run(dsn: str, folder: Path, *arguments: str) -> Result:
    """Run a command on a database."""
    settings = ("--clickhouse", dsn, "--data-folder", str(folder), "--rules-folder", str(folder / "rules"))
    return CliRunner().invoke(cli, [*arguments, *settings])
