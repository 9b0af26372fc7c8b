from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage

import aiosmtplib
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from micromoment.mailbox.app import create_mailbox
from micromoment.mailbox.smtp import LARGEST_MAIL, MOST_RECIPIENTS

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
EVIL = "<script>alert(1)</script>"


@dataclass(frozen=True)
class Running:
    """A mailbox: a client of its pages, and the port of its mail server."""

    inbox: AsyncTestClient[Litestar]
    smtp_port: int

    async def deliver(self, message: EmailMessage, recipients: list[str] | None = None) -> None:
        await aiosmtplib.send(message, hostname="127.0.0.1", port=self.smtp_port, recipients=recipients)


@asynccontextmanager
async def running(smtp_port: int = 0) -> AsyncIterator[Running]:
    app = create_mailbox("127.0.0.1", smtp_port, lambda: NOON)
    async with AsyncTestClient(app) as inbox:
        yield Running(inbox, app.state.smtp_port)


@pytest.fixture
async def mailbox() -> AsyncIterator[Running]:
    async with running() as mailbox:
        yield mailbox


def mail(subject: str = "Hello", html: str = "<p>Hi</p>", to: str = "ada@example.com") -> EmailMessage:
    message = EmailMessage()
    message["From"] = f'"{EVIL}" <hello@shop.example>'
    message["To"] = to
    message["Subject"] = subject
    message.set_content(f"Text {EVIL}")
    message.add_alternative(html, subtype="html")
    return message


async def test_what_is_sent_can_be_read_as_json(mailbox: Running) -> None:
    await mailbox.deliver(mail(to="ada@example.com"))
    await mailbox.deliver(mail("Second", to="bob@example.com"))
    messages = (await mailbox.inbox.get("/api/messages")).json()
    assert [(message["id"], message["subject"], message["recipients"]) for message in messages] == [
        (2, "Second", ["bob@example.com"]),
        (1, "Hello", ["ada@example.com"]),
    ]
    [only] = (await mailbox.inbox.get("/api/messages", params={"to": "ada@example.com"})).json()
    assert only == (await mailbox.inbox.get("/api/messages/1")).json()
    assert only["html"].strip() == "<p>Hi</p>"
    assert ["Subject", "Hello"] in only["headers"]


async def test_pages_show_the_mail_as_text(mailbox: Running) -> None:
    await mailbox.deliver(mail(f"Sale {EVIL}", html=EVIL))
    for path in ("/", "/mail/1"):
        page = await mailbox.inbox.get(path)
        assert page.status_code == 200
        assert "Sale &lt;script&gt;" in page.text
        assert "<script>alert" not in page.text
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert "unsafe-inline" not in page.headers["content-security-policy"]


async def test_the_html_of_a_mail_is_served_in_a_sandbox(mailbox: Running) -> None:
    await mailbox.deliver(mail(html="<!doctype html><html><head><title>x</title></head><body>Hi</body></html>"))
    page = await mailbox.inbox.get("/mail/1")
    assert 'src="/mail/1/html"' in page.text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.text
    html = await mailbox.inbox.get("/mail/1/html")
    assert html.text.startswith('<!doctype html><html><head><base target="_blank"><title>')
    rules = html.headers["content-security-policy"]
    assert rules.startswith("sandbox allow-popups")
    assert "allow-scripts" not in rules
    assert "default-src 'none'" in rules


async def test_an_empty_inbox_says_so(mailbox: Running) -> None:
    assert "No mail yet" in (await mailbox.inbox.get("/")).text


@pytest.mark.parametrize(
    "path", ["/mail/7", "/mail/7/html", "/api/messages/7", "/static/app.py", "/static/..%2fapp.py"]
)
async def test_what_is_not_there_is_not_found(mailbox: Running, path: str) -> None:
    assert (await mailbox.inbox.get(path)).status_code == 404


@pytest.mark.parametrize(("name", "media_type"), [("inbox.css", "text/css"), ("inbox.js", "text/javascript")])
async def test_serves_its_own_style_and_script(mailbox: Running, name: str, media_type: str) -> None:
    reply = await mailbox.inbox.get(f"/static/{name}")
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith(media_type)


async def test_too_large_a_mail_is_refused(mailbox: Running) -> None:
    with pytest.raises(aiosmtplib.SMTPResponseException, match="552"):
        await mailbox.deliver(mail(html="x" * LARGEST_MAIL))
    assert (await mailbox.inbox.get("/api/messages")).json() == []


async def test_no_more_recipients_are_taken_than_can_be_shown(mailbox: Running) -> None:
    recipients = [f"{number}@example.com" for number in range(MOST_RECIPIENTS + 5)]
    await mailbox.deliver(mail(), recipients)
    [message] = (await mailbox.inbox.get("/api/messages")).json()
    assert message["recipients"] == recipients[:MOST_RECIPIENTS]


async def test_stopping_cuts_open_connections() -> None:
    async with running() as mailbox:
        reader, writer = await asyncio.open_connection("127.0.0.1", mailbox.smtp_port)
        assert (await reader.readline()).startswith(b"220 ")
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
