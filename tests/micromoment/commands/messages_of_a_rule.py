"""A rule with messages whose templates work and fail, and the event that fills them."""

from __future__ import annotations

from pathlib import Path

from click.testing import Result

from tests.micromoment.commands.history import run
from tests.trigger_worker.stored import event_row, store
from warehouse.connection import connect
from warehouse.migrations import migrate

RULE = "id: lingers\nwhen: hover\nsend:\n  - banner: hello\n  - email: reminder\n  - email: broken\n"


def write_messages(folder: Path) -> Path:
    """Write two rules and their templates; return the folder."""
    for name in ("rules", "templates"):
        (folder / name).mkdir()
    (folder / "rules" / "lingers.yaml").write_text(RULE)
    (folder / "rules" / "fails.yaml").write_text("id: fails\nwhen: hover\nsend:\n  - email: broken\n")
    (folder / "templates" / "hello.banner.yaml").write_text("form: bar\nposition: top\ntitle: '{{ product.name }}'\n")
    (folder / "templates" / "reminder.email.html").write_text(
        "---\nsubject: Your {{ product.name }}\n---\n<p>Look:</p><p>{{ product.name }}</p>\n"
    )
    (folder / "templates" / "broken.email.html").write_text("---\nsubject: Hi\n---\n{{ 1 / 0 }}\n")
    return folder


def store_hover(dsn: str) -> str:
    """Store a hover of anna's over a product whose name would command a terminal and a page; return the dsn."""
    with connect(dsn) as warehouse:
        migrate(warehouse)
        store(warehouse, event_row("hover", name="Tent \x1b[2J<b>"))
    return dsn


def asked(stored: str, folder: Path, *arguments: str) -> Result:
    """Run a command on the folder's templates."""
    return run(stored, folder, *arguments, "--templates-folder", str(folder / "templates"))


def counts(stored: str) -> list[int]:
    """How many rows say that something was decided, sent or given out."""
    tables = ("fires", "decisions", "messages", "coupon_assignments")
    with connect(stored) as warehouse:
        return [warehouse.query(f"SELECT count() FROM {table}")[0][0] for table in tables]
