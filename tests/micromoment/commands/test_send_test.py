"""`send-test` sends one message, marked as a test, and records nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.micromoment.commands.messages_of_a_rule import asked, counts, store_hover, write_messages
from tests.trigger_worker.delivery.channels.http_peer import HttpPeer
from tests.trigger_worker.delivery.channels.mail_peer import MailPeer
from warehouse.errors import ConfigurationError, TemplateError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_messages(tmp_path)


@pytest.fixture
def stored(dsn: str) -> str:
    return store_hover(dsn)


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


async def test_a_test_by_chat_goes_where_chat_always_goes(stored: str, folder: Path) -> None:
    (folder / "rules" / "lingers.yaml").write_text("id: lingers\nwhen: hover\nsend: [{chat: tell}]\n")
    (folder / "templates" / "tell.chat.txt").write_text("{{ product.name }} is looked at\n")
    async with HttpPeer() as peer:
        arguments = ("send-test", "lingers", "--to", "ignored", "--visitor", "anna", "--chat-url", peer.url)
        result = await asyncio.to_thread(asked, stored, folder, *arguments)
    assert result.exit_code == 0, result.output
    (request,) = peer.requests
    assert b"is looked at" in request.body
    assert b"[Test]" in request.body


async def test_the_channel_that_is_named_is_taken(stored: str, folder: Path) -> None:
    rule = "id: lingers\nwhen: hover\nsend: [{email: reminder}, {chat: tell}]\n"
    (folder / "rules" / "lingers.yaml").write_text(rule)
    (folder / "templates" / "tell.chat.txt").write_text("Hello\n")
    async with HttpPeer() as peer:
        arguments = ("send-test", "lingers", "--to", "ignored", "--channel", "chat", "--site", "shop")
        result = await asyncio.to_thread(asked, stored, folder, *arguments, "--chat-url", peer.url)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("chat tell is handed over as ")
    assert len(peer.requests) == 1
