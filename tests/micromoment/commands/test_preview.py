"""`preview` and `send-test`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import Result

from tests.micromoment.commands.history import run
from tests.trigger_worker.delivery.channels.mail_peer import MailPeer
from tests.trigger_worker.stored import event_row, store
from warehouse.connection import connect
from warehouse.errors import ConfigurationError, TemplateError
from warehouse.migrations import migrate

RULE = "id: lingers\nwhen: hover\nsend:\n  - banner: hello\n  - email: reminder\n  - email: broken\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("rules", "templates"):
        (tmp_path / name).mkdir()
    (tmp_path / "rules" / "lingers.yaml").write_text(RULE)
    (tmp_path / "rules" / "fails.yaml").write_text("id: fails\nwhen: hover\nsend:\n  - email: broken\n")
    (tmp_path / "templates" / "hello.banner.yaml").write_text("form: bar\nposition: top\ntitle: '{{ product.name }}'\n")
    (tmp_path / "templates" / "reminder.email.html").write_text(
        "---\nsubject: Your {{ product.name }}\n---\n<p>Look:</p><p>{{ product.name }}</p>\n"
    )
    (tmp_path / "templates" / "broken.email.html").write_text("---\nsubject: Hi\n---\n{{ 1 / 0 }}\n")
    return tmp_path


@pytest.fixture
def stored(dsn: str) -> str:
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


def test_every_message_is_shown_and_gives_a_terminal_no_commands(stored: str, folder: Path) -> None:
    result = asked(stored, folder, "preview", "lingers", "--visitor", "anna")
    place = f"{folder}/templates/broken.email.html:4"
    assert result.stdout.splitlines() == [
        "lingers for anna",
        "",
        "banner hello",
        "  form: bar",
        "  title: Tent [2J<b>",
        "  position: top",
        "",
        "email reminder",
        "  subject: Your Tent [2J<b>",
        "  html: 38 characters; --format html shows it",
        "  text:",
        "    Look:",
        "",
        "    Tent �[2J<b>",
        "",
        "email broken",
        f"  failed: {place}: ZeroDivisionError: division by zero",
    ]
    assert result.exit_code == 1
    assert counts(stored) == [0, 0, 0, 0]


def test_the_same_is_told_as_json(stored: str, folder: Path) -> None:
    result = asked(stored, folder, "preview", "lingers", "--visitor", "anna", "--format", "json")
    told = json.loads(result.stdout)
    assert [message["template"] for message in told["messages"]] == ["hello", "reminder", "broken"]
    assert told["messages"][1]["content"]["subject"].startswith("Your Tent")


def test_a_page_shows_emails_in_frames_in_which_nothing_runs(stored: str, folder: Path) -> None:
    result = asked(stored, folder, "preview", "lingers", "--visitor", "anna", "--format", "html")
    assert '<iframe sandbox title="reminder" srcdoc="&lt;p&gt;Look:' in result.stdout
    assert "<b>" not in result.stdout


async def test_a_test_is_sent_marked_and_recorded_nowhere(stored: str, folder: Path) -> None:
    async with MailPeer() as peer:
        settings = ("--smtp-host", "127.0.0.1", "--smtp-port", str(peer.port), "--smtp-security", "none")
        arguments = ("send-test", "lingers", "--to", "you@example.com", "--visitor", "anna", *settings)
        result = await asyncio.to_thread(asked, stored, folder, *arguments)
    assert result.exit_code == 0, result.output
    (mail,) = peer.received
    assert peer.recipients == ["you@example.com"]
    assert str(mail["Subject"]).startswith("[Test] Your Tent")
    assert result.stdout == f"email reminder is handed over as {str(mail['Message-ID'])[1:].partition('@')[0]}\n"
    assert counts(stored) == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("arguments", "error", "problem"),
    [
        (("lingers", "--channel", "sms"), ConfigurationError, "the rule lingers sends nothing by sms"),
        (("lingers",), ConfigurationError, "the channel email is not configured"),
        (("fails",), TemplateError, "broken.email.html:4: ZeroDivisionError"),
    ],
)
def test_what_cannot_be_sent_is_told(
    stored: str, folder: Path, arguments: tuple[str, ...], error: type[Exception], problem: str
) -> None:
    result = asked(stored, folder, "send-test", *arguments, "--to", "you@example.com", "--site", "shop")
    assert isinstance(result.exception, error)
    assert problem in str(result.exception)
