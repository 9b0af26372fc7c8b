"""Bounces and complaints."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from collector.parts import CollectorParts
from tests.collector.callbacks import SETTINGS, kept, post_report
from tests.collector.collector_parts import client_of, running_parts
from tests.trigger_worker.stored import NOON, event_row, queued, store
from trigger_worker.store.message import MessageRecord
from trigger_worker.store.records import Records
from warehouse.connection import Warehouse


@pytest.fixture
async def parts(tmp_path: Path, embedded_warehouse: Warehouse) -> AsyncIterator[CollectorParts]:
    mail = queued("m-7", visitor_id="ada", channel="email")
    Records(embedded_warehouse).store_messages([MessageRecord(mail, "sent", NOON)])
    async with running_parts(tmp_path, embedded_warehouse, callbacks=SETTINGS) as parts:
        yield parts


@pytest.fixture
async def client(parts: CollectorParts) -> AsyncIterator[AsyncTestClient[Litestar]]:
    async with client_of(parts) as client:
        yield client


async def test_what_befell_a_message_becomes_an_event_of_its_visitor(
    client: AsyncTestClient[Litestar], parts: CollectorParts
) -> None:
    for report in (
        {"kind": "hard", "message_id": "m-7", "reason": "550 no such user", "address": " Ada@Example.com "},
        {"kind": "soft", "message_id": "<m-7@shop.example>"},
        {"kind": "complaint", "message_id": "m-7"},
    ):
        reply = await post_report(client, report)
        assert (reply.status_code, reply.json()) == (200, {"success": True, "visitors": 1})
    about = {"rule": "lingers", "channel": "email"}
    hard = {**about, "kind": "hard", "address": "ada@example.com", "reason": "550 no such user"}
    assert await kept(parts) == [
        ("email_bounced", "ada", "m-7", hard),
        ("email_bounced", "ada", "m-7", {**about, "kind": "soft"}),
        ("email_complained", "ada", "m-7", about),
    ]


async def test_an_address_alone_leads_to_everybody_whose_it_is(
    client: AsyncTestClient[Litestar], parts: CollectorParts
) -> None:
    store(parts.warehouse, event_row("identify", "bob", traits={"email": "Bob@Example.com "}))
    store(parts.warehouse, event_row("identify", "eve", traits={"email": "bob@example.com.evil"}))
    reply = await post_report(client, {"kind": "complaint", "address": "bob@example.com"})
    assert reply.json() == {"success": True, "visitors": 1}
    assert await kept(parts) == [("email_complained", "bob", "", {"channel": "email", "address": "bob@example.com"})]


async def test_a_message_that_is_not_ours_is_looked_for_by_its_address(
    client: AsyncTestClient[Litestar], parts: CollectorParts
) -> None:
    store(parts.warehouse, event_row("identify", "bob", traits={"email": "bob@example.com"}))
    report = {"kind": "hard", "message_id": "<newsletter@elsewhere>", "address": "bob@example.com"}
    assert (await post_report(client, report)).json()["visitors"] == 1
    [(_, visitor, message_id, _told)] = await kept(parts)
    assert (visitor, message_id) == ("bob", "")


async def test_nobody_is_no_error(client: AsyncTestClient[Litestar], parts: CollectorParts) -> None:
    reply = await post_report(client, {"kind": "hard", "message_id": "other", "address": "nobody@example.com"})
    assert (reply.status_code, reply.json()) == (200, {"success": True, "visitors": 0})
    assert await kept(parts) == []


async def test_a_report_that_comes_again_is_kept_once(client: AsyncTestClient[Litestar], parts: CollectorParts) -> None:
    for webhook_id in ("w-1", "w-1", "w-2"):
        await post_report(client, {"kind": "hard", "message_id": "m-7"}, webhook_id)
    await post_report(client, {"kind": "complaint", "message_id": "m-7"})
    assert [event for event, *_ in await kept(parts)] == ["email_bounced", "email_complained"]


async def test_of_an_address_each_report_of_its_own_counts(
    client: AsyncTestClient[Litestar], parts: CollectorParts
) -> None:
    store(parts.warehouse, event_row("identify", "bob", traits={"email": "bob@example.com"}))
    for webhook_id in ("w-1", "w-1", "w-2"):
        await post_report(client, {"kind": "soft", "address": "bob@example.com"}, webhook_id)
    assert len(await kept(parts)) == 2


async def test_what_was_signed_by_somebody_else_is_refused(
    client: AsyncTestClient[Litestar], parts: CollectorParts
) -> None:
    reply = await post_report(client, {"kind": "hard", "message_id": "m-7"}, key=b"x" * 32)
    assert (reply.status_code, reply.json()["code"]) == (403, "bad_signature")
    unsigned = await client.post("/v1/callbacks/email", json={"kind": "hard", "message_id": "m-7"})
    assert unsigned.status_code == 403
    assert await kept(parts) == []


async def test_what_is_no_report_is_refused_with_the_reason(client: AsyncTestClient[Litestar]) -> None:
    table: list[tuple[object, str]] = [
        (b"", "the body is no report"),
        (b"\xff", "the body is no report"),
        (b"[]", "the body is no report"),
        ({"message_id": "m-7"}, "kind"),
        ({"kind": "bounce", "message_id": "m-7"}, "kind"),
        ({"kind": "hard"}, "neither message_id nor address"),
        ({"kind": "hard", "address": "x" * 300}, "longer than any"),
        ({"kind": "hard", "message_id": "x" * 600}, "longer than any"),
    ]
    for report, complaint in table:
        reply = await post_report(client, report)
        assert (reply.status_code, reply.json()["code"]) == (400, "malformed")
        assert complaint in reply.json()["message"]


async def test_without_a_secret_there_are_no_callbacks(tmp_path: Path, embedded_warehouse: Warehouse) -> None:
    async with running_parts(tmp_path, embedded_warehouse) as parts, client_of(parts) as client:
        reply = await post_report(client, {"kind": "hard", "message_id": "m-7"}, key=b"")
        assert (reply.status_code, reply.json()["code"]) == (404, "not_configured")
