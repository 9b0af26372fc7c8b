"""The demo's SMS API and chat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from collector.feedback.sms_provider import is_genuine_form
from micromoment.mailbox.app import create_mailbox
from tests.trigger_worker.delivery.channels.http_peer import HttpPeer
from tests.waiting import until

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PATH = "/2010-04-01/Accounts/ACdemo/Messages.json"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
async def mailbox() -> AsyncIterator[AsyncTestClient[Litestar]]:
    async with AsyncTestClient(create_mailbox("127.0.0.1", 0, lambda: NOON)) as client:
        yield client


async def test_a_text_message_is_taken_and_can_be_read(mailbox: AsyncTestClient[Litestar]) -> None:
    form = {"From": "+49151", "To": "+4915112345678", "Body": f"Hi {EVIL}"}
    reply = await mailbox.post(PATH, data=form, auth=("ACdemo", "token"))
    assert reply.status_code == 201
    assert reply.json()["sid"].startswith("SM")
    [text] = (await mailbox.get("/api/texts", params={"to": "+4915112345678"})).json()
    assert (text["channel"], text["sender"], text["text"]) == ("sms", "+49151", f"Hi {EVIL}")
    assert (await mailbox.get("/api/texts", params={"to": "+490"})).json() == []
    page = (await mailbox.get("/")).text
    assert "Hi &lt;script&gt;" in page
    assert EVIL not in page


async def test_a_chat_message_is_taken_and_can_be_read(mailbox: AsyncTestClient[Litestar]) -> None:
    reply = await mailbox.post("/chat", json={"text": "A big cart"})
    assert (reply.status_code, reply.text) == (200, "ok")
    [text] = (await mailbox.get("/api/texts")).json()
    assert (text["channel"], text["text"]) == ("chat", "A big cart")
    assert "A big cart" in (await mailbox.get("/")).text


@pytest.mark.parametrize(
    ("form", "user", "status", "code"),
    [
        ({"To": "+49151", "Body": "Hi"}, "ACother", 401, 20003),
        ({"To": "0151", "Body": "Hi"}, "ACdemo", 400, 21211),
        ({"To": "+49151"}, "ACdemo", 400, 21602),
    ],
)
async def test_what_the_real_one_refuses_is_refused(
    mailbox: AsyncTestClient[Litestar], form: dict[str, str], user: str, status: int, code: int
) -> None:
    reply = await mailbox.post(PATH, data=form, auth=(user, "token"))
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert (await mailbox.get("/api/texts")).json() == []


async def test_the_delivery_is_reported_and_signed() -> None:
    # The test client would block this event loop, and with it the collector, until the report times out.
    transport = httpx.ASGITransport(create_mailbox("127.0.0.1", 0, lambda: NOON))  # type: ignore[arg-type]  # Litestar's own scopes
    async with HttpPeer() as collector, httpx.AsyncClient(transport=transport, base_url="http://mailbox") as mailbox:
        form = {"To": "+49151", "Body": "Hi", "StatusCallback": collector.url}
        await mailbox.post(PATH, data=form, auth=("ACdemo", "token"))
        await until(lambda: bool(collector.requests))
        [request] = collector.requests
    reported = [tuple(part.split("=", 1)) for part in request.body.decode().split("&")]
    assert ("MessageStatus", "delivered") in reported
    decoded = [(name, value.replace("%2B", "+")) for name, value in reported]
    assert is_genuine_form("token", collector.url, decoded, request.headers["x-twilio-signature"])


async def test_a_collector_that_is_away_misses_the_report(mailbox: AsyncTestClient[Litestar]) -> None:
    form = {"To": "+49151", "Body": "Hi", "StatusCallback": "http://127.0.0.1:1/nobody"}
    assert (await mailbox.post(PATH, data=form, auth=("ACdemo", "token"))).status_code == 201
