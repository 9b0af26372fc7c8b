"""`preview` shows a rule's messages, and does nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.micromoment.commands.messages_of_a_rule import asked, counts, store_hover, write_messages


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_messages(tmp_path)


@pytest.fixture
def stored(dsn: str) -> str:
    return store_hover(dsn)


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
        "  html: 37 characters; --format html shows it",
        "  text:",
        "    Look:",
        "",
        "    Tent [2J<b>",
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
