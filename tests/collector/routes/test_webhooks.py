"""The route of shop platforms' webhooks."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from collector.parts import Bounds, CollectorParts
from collector.platforms.requests import ErasureQueue
from collector.rate import RateLimit
from collector.sites import ShopWebhook, Site
from tests.collector.away import AWAY
from tests.collector.collector_parts import client_of, kept_rows, running_parts
from tests.collector.platforms import shopify_payloads as shopify
from tests.collector.platforms import woocommerce_payloads as woo
from tests.trigger_worker.stored import event_row, store
from warehouse.audit import read_audit
from warehouse.connection import Warehouse
from warehouse.errors import JournalFull
from warehouse.limits import MAX_BODY_BYTES

SHOP = Site(
    "shop", "shop-key", identity="required", identity_secrets=(b"identity",), webhooks=(shopify.WEBHOOK, woo.WEBHOOK)
)
OTHER = Site("other", "other-key", webhooks=(ShopWebhook("store", "shopify", "another-token-of-a-shop", (b"other",)),))


class Erased:
    """Notes who is erased, as soon as it may."""

    def __init__(self) -> None:
        self.visitors: list[tuple[str, str, str]] = []
        self.may = asyncio.Event()
        self.may.set()

    async def __call__(self, site: str, visitor_id: str, actor: str) -> None:
        await self.may.wait()
        self.visitors.append((site, visitor_id, actor))


@pytest.fixture
def erased() -> Erased:
    return Erased()


@pytest.fixture
async def parts(tmp_path: Path, embedded_warehouse: Warehouse, erased: Erased) -> AsyncIterator[CollectorParts]:
    queue = ErasureQueue(erased, patience_seconds=0.2)
    async with running_parts(tmp_path, embedded_warehouse, sites=(SHOP, OTHER), erasures=queue) as parts:
        yield parts


@pytest.fixture
async def client(parts: CollectorParts) -> AsyncIterator[AsyncTestClient[Litestar]]:
    async with client_of(parts) as client:
        yield client


async def deliver(
    client: AsyncTestClient[Litestar], topic: str, payload: object, path: str = shopify.PATH, **headers: str
) -> tuple[int, dict[str, Any]]:
    """Post a delivery of Shopify's, or of WooCommerce's to its path; return status and answer."""
    sign = woo.signed if path == woo.PATH else shopify.signed
    body, signed = sign(topic, payload, **headers)
    reply = await client.post(path, content=body, headers=signed)
    return reply.status_code, reply.json()


def counted(parts: CollectorParts, outcome: str, webhook: str = "store") -> float:
    return float(parts.metrics.webhooks.labels("shop", webhook, outcome)._value.get())


async def test_an_order_is_on_disk_when_it_is_answered(
    client: AsyncTestClient[Litestar], parts: CollectorParts
) -> None:
    assert await deliver(client, "orders/create", shopify.order()) == (200, {"success": True, "kept": 4})
    rows = await kept_rows(parts)
    assert [row.event for row in rows] == ["purchase", "identify", "consent", "identify"]
    assert all(row.source == "live" and row.received_at == "2026-11-22 12:00:00.000" for row in rows)
    assert counted(parts, "kept") == 1


async def test_what_is_delivered_again_is_kept_once(client: AsyncTestClient[Litestar], parts: CollectorParts) -> None:
    await deliver(client, "orders/create", shopify.order())
    status, reply = await deliver(client, "orders/create", shopify.order())
    assert (status, reply.get("kept", 0)) == (200, 0)
    assert {drop["reason"] for drop in reply["dropped"]} == {"duplicate"}
    # Another topic about the same order tells nothing new of it, either.
    await deliver(client, "orders/paid", shopify.order())
    assert len(await kept_rows(parts)) == 4
    assert counted(parts, "repeated") == 2


async def test_a_delivery_without_the_times_of_newer_versions_is_kept_once_too(
    client: AsyncTestClient[Litestar], parts: CollectorParts
) -> None:
    customer = {name: value for name, value in shopify.customer().items() if name not in {"updated_at", "created_at"}}
    for topic, payload in (("orders/create", shopify.order(customer=customer)), ("customers/update", customer)):
        first = (await deliver(client, topic, payload))[1]["kept"]
        assert first > 0
        assert (await deliver(client, topic, payload))[1].get("kept", 0) == 0
    assert len(await kept_rows(parts)) == 5


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (shopify.PATH, 200),
        (shopify.PATH[:-1], 404),
        (shopify.PATH + "x", 404),
        ("/v1/webhooks/Store/" + shopify.TOKEN, 404),
        ("/v1/webhooks/woo/" + shopify.TOKEN, 404),
        ("/v1/webhooks/nobody/nothing", 404),
        ("/v1/webhooks/store/%00", 404),
        ("/v1/webhooks/%F0%9F%98%80/%FF", 404),
    ],
)
async def test_an_address_that_is_not_exactly_one_is_none(
    client: AsyncTestClient[Litestar], parts: CollectorParts, path: str, status: int
) -> None:
    got, reply = await deliver(client, "orders/create", shopify.order(), path)
    assert got == status
    assert status == 200 or reply["code"] == "unknown_webhook"
    assert bool(await kept_rows(parts)) == (status == 200)


async def test_what_is_not_signed_by_the_platform_is_refused_and_counted(
    client: AsyncTestClient[Litestar], parts: CollectorParts
) -> None:
    body, genuine = shopify.signed("orders/create", shopify.order())
    signature = genuine["x-shopify-hmac-sha256"]
    table: list[tuple[bytes, dict[str, str]]] = [
        (body, {"x-shopify-hmac-sha256": ""}),
        (body, {"x-shopify-hmac-sha256": signature.lower()}),
        (body, {"x-shopify-hmac-sha256": signature[:-2]}),
        (body, {"x-shopify-hmac-sha256": "é" * 44}),
        (body + b" ", {}),
        (body, shopify.signed("orders/create", shopify.order(), secret="guessed")[1]),
        (body, woo.signed("order.created", shopify.order())[1] | {"x-shopify-hmac-sha256": ""}),
    ]
    for sent, changes in table:
        headers = [(name.encode(), value.encode("latin-1")) for name, value in (genuine | changes).items()]
        reply = await client.post(shopify.PATH, content=sent, headers=headers)
        assert (reply.status_code, reply.json()["code"]) == (401, "bad_signature")
    assert parts.metrics.requests_refused.labels("bad_signature")._value.get() == len(table)
    assert await kept_rows(parts) == []


async def test_the_secret_before_still_holds(client: AsyncTestClient[Litestar]) -> None:
    body, headers = woo.signed("order.created", woo.order(), secret="the secret before")
    assert (await client.post(woo.PATH, content=body, headers=headers)).status_code == 200


async def test_another_shop_that_signs_with_the_same_secret_is_refused(client: AsyncTestClient[Litestar]) -> None:
    other = {"x-shopify-shop-domain": "other.myshopify.com"}
    status, reply = await deliver(client, "orders/create", shopify.order(), **other)
    assert (status, reply["code"]) == (401, "unknown_shop")
    upper = {"x-shopify-shop-domain": shopify.SHOP_DOMAIN.upper()}
    assert (await deliver(client, "orders/create", shopify.order(), **upper))[0] == 200
    elsewhere = {"x-wc-webhook-source": "https://other.example/"}
    assert (await deliver(client, "order.created", woo.order(), woo.PATH, **elsewhere))[0] == 401


async def test_a_topic_that_nobody_understands_is_acknowledged_named_and_counted(
    client: AsyncTestClient[Litestar], parts: CollectorParts
) -> None:
    status, reply = await deliver(client, "app/uninstalled", {"id": 1})
    assert (status, reply["dropped"][0]["reason"]) == (200, "unknown_topic")
    assert counted(parts, "dropped") == 1
    assert parts.metrics.events_dropped.labels("shop", "unknown_topic")._value.get() == 1


async def test_fields_that_cannot_be_read_are_named_and_counted(
    client: AsyncTestClient[Litestar], parts: CollectorParts
) -> None:
    _, reply = await deliver(client, "orders/create", shopify.order(total_tax="much", customer=None))
    assert reply["warnings"] == [
        {
            "messageId": "shopify-order-820982911946154508",
            "reason": "field_unread",
            "detail": "total_tax is not a number: passed over",
        }
    ]
    assert parts.metrics.events_warned.labels("shop", "field_unread")._value.get() == 1


async def test_woocommerces_first_question_is_answered(
    client: AsyncTestClient[Litestar], parts: CollectorParts
) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    reply = await client.post(woo.PATH, content=b"webhook_id=5", headers=form)
    assert (reply.status_code, reply.json()) == (200, {"success": True})
    assert counted(parts, "greeting", "woo") == 1
    for body in (b"webhook_id=", b"webhook_id=5&x=1", b"webhook_id=x", b""):
        assert (await client.post(woo.PATH, content=body, headers=form)).status_code == 401
    assert (await client.post(shopify.PATH, content=b"webhook_id=5", headers=form)).status_code == 401


async def test_a_body_with_a_value_that_is_damaged_is_mended_and_told(
    client: AsyncTestClient[Litestar], parts: CollectorParts
) -> None:
    body = json.dumps(shopify.order(customer=None)).replace('"#9999"', '"half \\ud83d"').encode()
    status, reply = await deliver(client, "orders/create", b"\xef\xbb\xbf" + body)
    assert (status, reply["kept"]) == (200, 2)
    assert [warning["reason"] for warning in reply["warnings"]] == ["text_repaired"]
    assert (await kept_rows(parts))[0].event == "purchase"


async def test_what_a_platform_says_of_a_product_is_kept_and_is_no_news(
    tmp_path: Path, embedded_warehouse: Warehouse
) -> None:
    heard: list[str] = []
    running = running_parts(
        tmp_path, embedded_warehouse, sites=(SHOP,), accepted=lambda rows, _: heard.extend(row.event for row in rows)
    )
    async with running as parts, client_of(parts) as client:
        assert await deliver(client, "products/update", shopify.product()) == (200, {"success": True, "kept": 1})
        assert await deliver(client, "orders/create", shopify.order(customer=None)) == (
            200,
            {"success": True, "kept": 2},
        )
        assert [row.source for row in await kept_rows(parts)] == ["import", "live", "live"]
    assert heard == ["purchase", "identify"]


async def test_a_body_that_cannot_be_read_is_refused(client: AsyncTestClient[Litestar]) -> None:
    table: list[tuple[bytes, int, str]] = [
        (b"", 400, "malformed"),
        (b"no json", 400, "malformed"),
        (b"\xff\xfe", 400, "malformed"),
        (b"[" * 100_000, 400, "malformed"),
        (b" " * (MAX_BODY_BYTES + 1), 413, "too_large"),
        (gzip.compress(b"0" * 5_000_000), 413, "too_large"),
    ]
    for body, status, code in table:
        got, reply = await deliver(client, "orders/create", body)
        assert (got, reply["code"]) == (status, code), body[:20]


async def test_a_full_journal_and_a_busy_site_have_the_platform_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_parts(tmp_path, AWAY, sites=(SHOP,)) as parts, client_of(parts) as client:

        async def full(*_: object) -> None:
            raise JournalFull("the journal is full", "wait")

        monkeypatch.setattr(parts.journal, "append_async", full)
        status, reply = await deliver(client, "orders/create", shopify.order())
        assert (status, reply["code"]) == (503, "journal_full")
        # A refund has to ask ClickHouse whose it is.
        status, reply = await deliver(client, "refunds/create", shopify.refund())
        assert (status, reply["code"]) == (503, "warehouse_unavailable")
    bounds = Bounds(site_rate=RateLimit(0.001, 1))
    async with (
        running_parts(tmp_path / "busy", AWAY, sites=(SHOP,), bounds=bounds) as parts,
        client_of(parts) as client,
    ):
        assert (await deliver(client, "orders/create", shopify.order()))[0] == 200
        status, reply = await deliver(client, "orders/create", shopify.order())
        assert (status, reply["code"]) == (503, "busy")


async def test_guessing_addresses_and_signatures_costs_the_guesser(tmp_path: Path) -> None:
    rate = RateLimit(0.001, 3)
    async with running_parts(tmp_path, AWAY, sites=(SHOP,), rate=rate) as parts, client_of(parts) as client:
        guessed = [(await deliver(client, "x", {}, "/v1/webhooks/store/guess"))[0] for _ in range(2)]
        forged = [(await client.post(shopify.PATH, content=b"{}")).status_code for _ in range(2)]
        assert (guessed, forged) == ([404, 404], [401, 429])
        assert (await deliver(client, "orders/create", shopify.order()))[0] == 200


async def test_a_refund_finds_whose_its_order_was(client: AsyncTestClient[Litestar], parts: CollectorParts) -> None:
    status, reply = await deliver(client, "refunds/create", shopify.refund())
    assert (status, reply["code"]) == (503, "not_yet")
    order_id = str(shopify.order()["id"])
    store(
        parts.warehouse,
        event_row("purchase", "elsewhere", site="other", order_id=order_id),
        event_row("purchase", shopify.BROWSER, user="u-1", order_id=order_id),
    )
    assert (await deliver(client, "refunds/create", shopify.refund()))[0] == 200
    (row,) = await kept_rows(parts)
    assert (row.event, row.visitor_id, row.anonymous_id, row.value) == ("refund", "u-1", shopify.BROWSER, 12.5)


async def test_a_person_who_asks_to_be_forgotten_is_erased_under_every_id_with_their_address(
    client: AsyncTestClient[Litestar], parts: CollectorParts, erased: Erased
) -> None:
    store(
        parts.warehouse,
        event_row("identify", shopify.BROWSER, traits={"email": "Ann@example.com"}),
        event_row("identify", "other-shops", site="other", traits={"email": "ann@example.com"}),
        event_row("identify", "bob", traits={"email": "bob@example.com"}),
    )
    status, _ = await deliver(client, "customers/redact", shopify.PAYLOADS["customers/redact"])
    assert status == 200
    assert sorted(erased.visitors) == [
        ("shop", shopify.BROWSER, "webhook"),
        ("shop", "706405506930370084", "webhook"),
    ]
    assert counted(parts, "erase") == 1


async def test_an_erasure_that_takes_longer_goes_on_and_is_asked_for_again(
    client: AsyncTestClient[Litestar], erased: Erased
) -> None:
    erased.may.clear()
    for _ in range(2):
        status, reply = await deliver(client, "customers/delete", shopify.PAYLOADS["customers/delete"])
        assert (status, reply["code"]) == (503, "erasing")
    erased.may.set()
    assert (await deliver(client, "customers/delete", shopify.PAYLOADS["customers/delete"]))[0] == 200
    assert set(erased.visitors) == {("shop", "706405506930370084", "webhook")}


async def test_what_a_person_has_to_do_is_said_and_noted_without_naming_anybody(
    client: AsyncTestClient[Litestar], parts: CollectorParts
) -> None:
    for topic, action in (("customers/data_request", "data_request"), ("shop/redact", "shop_redact")):
        status, reply = await deliver(client, topic, shopify.PAYLOADS[topic])
        assert (status, reply["note"].startswith("somebody has to")) == (200, True)
        assert counted(parts, action) == 1
    noted = [row for row in read_audit(parts.warehouse, 10) if row.actor == "webhook"]
    assert sorted((row.action, json.loads(row.detail)["number"]) for row in noted) == [
        ("data_request", "9999"),
        ("shop_redact", "954889"),
    ]
    assert "706405506930370084" not in str(noted)


async def test_a_site_that_asks_first_keeps_the_orders_of_browsers_that_agreed(tmp_path: Path) -> None:
    site = Site("shop", "shop-key", consent="opt-in", identity="required", webhooks=(shopify.WEBHOOK,))
    async with running_parts(tmp_path, AWAY, sites=(site,)) as parts, client_of(parts) as client:
        await deliver(client, "orders/create", shopify.order(id=1, note_attributes=[]))
        _, reply = await deliver(client, "orders/create", shopify.order())
        assert [drop["reason"] for drop in reply["dropped"]] == ["no_consent", "duplicate"]
        kept = [(row.event, row.visitor_id) for row in await kept_rows(parts)]
        customer = str(shopify.customer()["id"])
        assert kept == [("consent", customer), ("purchase", shopify.BROWSER), ("identify", shopify.BROWSER)]
