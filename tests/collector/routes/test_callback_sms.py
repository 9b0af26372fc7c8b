"""Status callbacks and replies of an SMS provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from collector.parts import CollectorParts
from tests.collector.callbacks import SETTINGS, TOKEN, kept, post_form
from tests.collector.collector_parts import client_of, running_parts
from tests.trigger_worker.stored import event_row, store
from warehouse.connection import Warehouse
from warehouse.errors import WarehouseUnavailable

REPLY = "/v1/callbacks/sms"


@pytest.fixture
async def parts(tmp_path: Path, embedded_warehouse: Warehouse) -> AsyncIterator[CollectorParts]:
    async with running_parts(tmp_path, embedded_warehouse, callbacks=SETTINGS) as parts:
        yield parts


@pytest.fixture
async def client(parts: CollectorParts) -> AsyncIterator[AsyncTestClient[Litestar]]:
    async with client_of(parts) as client:
        yield client


def status_path(parts: CollectorParts) -> str:
    return f"{REPLY}/{parts.message_tokens.sign(TOKEN, 'callback')}"


def identifies(warehouse: Warehouse, visitor: str, phone: str, **fields: Any) -> None:
    store(warehouse, event_row("identify", visitor, traits={"phone": phone}, **fields))


@pytest.mark.parametrize(
    ("status", "error", "event", "told"),
    [
        ("delivered", "", "message_delivered", {}),
        ("undelivered", "30003", "message_failed", {"reason": "undelivered 30003"}),
        ("failed", "", "message_failed", {"reason": "failed"}),
    ],
)
async def test_the_end_of_a_messages_way_becomes_an_event(
    client: AsyncTestClient[Litestar], parts: CollectorParts, status: str, error: str, event: str, told: dict[str, str]
) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": status, **({"ErrorCode": error} if error else {})}
    reply = await post_form(client, status_path(parts), form)
    assert (reply.status_code, reply.json()) == (200, {"success": True})
    about = {"rule": "cart_abandoned", "variant": "plain", "channel": "sms"}
    assert await kept(parts) == [(event, "ada", "m-7", {**about, **told})]


async def test_states_on_the_way_are_passed_over(client: AsyncTestClient[Litestar], parts: CollectorParts) -> None:
    for status in ("queued", "sending", "sent", "read", ""):
        assert (await post_form(client, status_path(parts), {"MessageStatus": status})).status_code == 200
    assert await kept(parts) == []


async def test_a_callback_that_comes_again_is_kept_once(
    client: AsyncTestClient[Litestar], parts: CollectorParts
) -> None:
    for _ in range(3):
        assert (await post_form(client, status_path(parts), {"MessageStatus": "delivered"})).status_code == 200
    assert len(await kept(parts)) == 1


async def test_what_the_provider_did_not_sign_is_refused(
    client: AsyncTestClient[Litestar], parts: CollectorParts
) -> None:
    for path in (status_path(parts), REPLY):
        for signature in ("", "forged", "RSOYDt4T1cUTdK1PDd93/VVr8B8="):
            reply = await post_form(client, path, {"MessageStatus": "delivered", "Body": "STOP"}, signature)
            assert (reply.status_code, reply.json()["code"]) == (403, "bad_signature")
    assert await kept(parts) == []


async def test_a_token_that_is_not_ours_is_refused(client: AsyncTestClient[Litestar], parts: CollectorParts) -> None:
    for token in ("forged", parts.message_tokens.sign(TOKEN, "click")):
        reply = await post_form(client, f"{REPLY}/{token}", {"MessageStatus": "delivered"})
        assert (reply.status_code, reply.json()["code"]) == (404, "unknown_message")


async def test_a_body_that_is_no_form_is_refused(client: AsyncTestClient[Litestar]) -> None:
    for body in (b"\xff", b"&".join(b"a=%d" % number for number in range(101))):
        reply = await client.post(REPLY, content=body)
        assert (reply.status_code, reply.json()["code"]) == (400, "malformed")


async def test_who_replies_stop_is_unsubscribed_from_text_messages(
    client: AsyncTestClient[Litestar], parts: CollectorParts
) -> None:
    identifies(parts.warehouse, "ada", "+49 151 1234-5678")
    reply = await post_form(client, REPLY, {"From": "+4915112345678", "Body": "Stop", "MessageSid": "SM2"})
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("application/xml")
    assert reply.text == '<?xml version="1.0" encoding="UTF-8"?><Response/>'
    assert await kept(parts) == [
        ("unsubscribed", "ada", "", {"channel": "sms", "reason": "reply", "source": "sms_reply"}),
        ("consent", "ada", "", {"channels": {"sms": False}, "source": "sms_reply"}),
    ]


async def test_who_replies_start_is_back(client: AsyncTestClient[Litestar], parts: CollectorParts) -> None:
    identifies(parts.warehouse, "ada", "+4915112345678")
    await post_form(client, REPLY, {"From": "+4915112345678", "Body": "START", "MessageSid": "SM3"})
    expected = {"channels": {"sms": True}, "source": "sms_reply"}
    assert await kept(parts) == [("consent", "ada", "", expected)]


async def test_small_talk_is_passed_over(client: AsyncTestClient[Litestar], parts: CollectorParts) -> None:
    identifies(parts.warehouse, "ada", "+4915112345678")
    for form in ({"Body": "thank you"}, {"Body": "INFO", "OptOutType": "HELP"}, {}):
        reply = await post_form(client, REPLY, {"From": "+4915112345678", "MessageSid": "SM4", **form})
        assert reply.status_code == 200
    assert await kept(parts) == []


async def test_everybody_whose_number_it_is_now_is_unsubscribed_and_nobody_else(
    client: AsyncTestClient[Litestar], parts: CollectorParts
) -> None:
    identifies(parts.warehouse, "ada", "0049 (0)151 12345678")
    identifies(parts.warehouse, "ada-elsewhere", "+4915112345678", site="strict")
    identifies(parts.warehouse, "bob", "+4915112345679")
    identifies(parts.warehouse, "carl", "+4915112345678", at=1_000)
    identifies(parts.warehouse, "carl", "+4917000000000")
    identifies(parts.warehouse, "dora", "+4915112345678", site="gone")
    store(parts.warehouse, event_row("purchase", "eve", traits={"phone": "+4915112345678"}))
    await post_form(client, REPLY, {"From": "+4915112345678", "Body": "STOP", "MessageSid": "SM5"})
    assert {visitor for _, visitor, *_ in await kept(parts)} == {"ada", "ada-elsewhere"}


async def test_a_reply_that_comes_again_counts_once_and_another_one_again(
    client: AsyncTestClient[Litestar], parts: CollectorParts
) -> None:
    identifies(parts.warehouse, "ada", "+4915112345678")
    for reply_id in ("SM6", "SM6", "SM7"):
        await post_form(client, REPLY, {"From": "+4915112345678", "Body": "STOP", "MessageSid": reply_id})
    assert [event for event, *_ in await kept(parts)] == ["unsubscribed", "consent"] * 2


async def test_without_a_provider_there_are_no_callbacks(tmp_path: Path, embedded_warehouse: Warehouse) -> None:
    async with running_parts(tmp_path, embedded_warehouse) as parts, client_of(parts) as client:
        for path in (REPLY, status_path(parts)):
            reply = await post_form(client, path, {"Body": "STOP"}, "anything")
            assert (reply.status_code, reply.json()["code"]) == (404, "not_configured")


class Away:
    """A ClickHouse that does not answer."""

    def query(self, *_: object) -> object:
        raise WarehouseUnavailable("ClickHouse is away", "start it")


async def test_while_clickhouse_is_away_the_provider_is_asked_to_come_again(tmp_path: Path) -> None:
    away: Any = Away()
    async with running_parts(tmp_path, away, callbacks=SETTINGS) as parts, client_of(parts) as client:
        reply = await post_form(client, REPLY, {"From": "+4915112345678", "Body": "STOP"})
    assert (reply.status_code, reply.json()["code"]) == (503, "warehouse_unavailable")
    assert reply.headers["retry-after"] == "5"
