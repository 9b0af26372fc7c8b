"""Calls of a reader's device: the picture of an opening, counted links, and reports of notifications."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import AsyncTestClient

from collector.parts import CollectorParts, CollectorSettings
from collector.rate import RateLimit
from collector.routes.messages import PIXEL
from tests.collector.away import AWAY
from tests.collector.callbacks import kept
from tests.collector.collector_parts import SHOP, client_of, kept_rows, running_parts
from tests.collector.journals import FailingJournal, full_journal
from tests.collector.message_links import click, pixel, signed, way_out
from tests.collector.messages import NOON, props
from warehouse.message_token import MessageToken, MessageTokens

CART = "https://shop.example/cart?a=1&b=2#top"
PERSON = {
    "user-agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0"
}
GMAIL = {"user-agent": "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"}
MACHINE = {"user-agent": "Mozilla/5.0"}
NOTIFICATION = MessageToken("shop", "m-9", "back_in_stock", "ada", "push")

Client = AsyncTestClient[Litestar]


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[CollectorParts]:
    async with running_parts(tmp_path, AWAY) as parts:
        yield parts


async def get(client: Client, address: str, headers: dict[str, str] = PERSON, method: str = "GET") -> httpx.Response:
    return await client.request(method, address, headers=headers, follow_redirects=False)


def report(parts: CollectorParts, event: str, token: MessageToken = NOTIFICATION, purpose: str = "push") -> str:
    """Return the address at which a service worker reports an event."""
    return f"/v1/callbacks/push/{parts.message_tokens.sign(token, purpose)}?event={event}"


def lost(parts: CollectorParts, event: str, reason: str) -> float:
    labels = {"event": event, "reason": reason}
    return parts.metrics.registry.get_sample_value("micromoment_message_events_lost_total", labels) or 0


async def test_opening_a_mail_brings_a_picture_and_is_kept(client: Client, parts: CollectorParts) -> None:
    response = await get(client, pixel())
    assert (response.status_code, response.headers["content-type"]) == (200, "image/gif")
    assert response.headers["cache-control"] == "no-store"
    assert (response.content, len(PIXEL)) == (PIXEL, 43)
    (row,) = await kept_rows(parts)
    assert (row.event, row.visitor_id, row.message_id, row.ts) == (
        *("email_opened", "anna", "message-1"),
        "2026-11-22 12:00:00.000",
    )
    assert (row.anonymous_id, row.user_id, row.device, row.os) == ("", "", "desktop", "Windows")
    assert props(row) == {"rule": "cart_abandoned", "channel": "email", "variant": "plain"}


async def test_following_a_link_leads_on_and_is_kept(client: Client, parts: CollectorParts) -> None:
    response = await get(client, click(CART))
    assert (response.status_code, response.headers["location"], response.content) == (302, CART, b"")
    assert response.headers["cache-control"] == "no-store"
    (row,) = await kept_rows(parts)
    assert (row.event, row.visitor_id, row.message_id, row.url) == ("email_clicked", "anna", "message-1", CART)


async def test_who_follows_a_forwarded_link_becomes_nobody_by_it(client: Client, parts: CollectorParts) -> None:
    """The event is the reader's, of no browser; and neither the link nor where it leads says who the reader is."""
    address = click(CART)
    response = await get(client, address, {**PERSON, "cookie": "mm_anonymous_id=the-clicker"})
    assert (response.headers["location"], response.headers.get("set-cookie")) == (CART, None)
    (row,) = await kept_rows(parts)
    assert (row.visitor_id, row.anonymous_id, row.user_id) == ("anna", "", "")
    sealed = address.rpartition("/")[2]
    assert b"anna" not in base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("https://shop.example/Größe?q=a b", "https://shop.example/Gr%C3%B6%C3%9Fe?q=a%20b"),
        ("https://shop.example/a%20b?c=%26", "https://shop.example/a%20b?c=%26"),
        ("https://shop.example/\r\nSet-Cookie: a=b", "https://shop.example/%0D%0ASet-Cookie:%20a=b"),
    ],
)
async def test_an_address_is_written_as_headers_take_it(client: Client, target: str, location: str) -> None:
    response = await get(client, click(target))
    assert response.headers["location"] == location
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("address", [pixel(), click(CART)])
async def test_asking_for_the_head_only_is_no_opening_and_no_click(
    client: Client, parts: CollectorParts, address: str
) -> None:
    response = await get(client, address, method="HEAD")
    assert response.status_code in {200, 302}
    assert await kept_rows(parts) == []


async def test_a_link_that_a_browser_fetches_ahead_is_no_click(client: Client, parts: CollectorParts) -> None:
    response = await get(client, click(CART), {**PERSON, "sec-purpose": "prefetch"})
    assert response.status_code == 302
    assert await kept_rows(parts) == []


@pytest.mark.parametrize("address", [pixel(), click(CART)])
async def test_a_machine_is_said_to_be_one_and_lends_the_reader_no_device(
    client: Client, parts: CollectorParts, address: str
) -> None:
    await get(client, address, MACHINE)
    (row,) = await kept_rows(parts)
    assert props(row)["machine"] is True
    assert (row.device, row.os, row.browser) == ("", "", "")


async def test_a_mail_service_that_fetches_for_its_reader_lends_no_device(
    client: Client, parts: CollectorParts
) -> None:
    await get(client, pixel(), GMAIL)
    (row,) = await kept_rows(parts)
    assert "machine" not in props(row)
    assert (row.device, row.os, row.browser) == ("", "", "")


async def test_a_mail_is_opened_once_an_hour_and_machines_count_apart(tmp_path: Path) -> None:
    now = [NOON]
    async with running_parts(tmp_path, AWAY, now_ms=lambda: now[0]) as parts, client_of(parts) as client:
        await get(client, pixel(), MACHINE)
        for minutes in (0, 30, 59, 60):
            now[0] = NOON + minutes * 60_000
            await get(client, pixel())
        await get(client, pixel(message_id="message-2"))
        assert [(row.message_id, "machine" in props(row), row.ts[11:16]) for row in await kept_rows(parts)] == [
            ("message-1", True, "12:00"),
            ("message-1", False, "12:00"),
            ("message-1", False, "13:00"),
            ("message-2", False, "13:00"),
        ]


async def test_the_same_click_counts_once_a_minute(tmp_path: Path) -> None:
    now = [NOON]
    async with running_parts(tmp_path, AWAY, now_ms=lambda: now[0]) as parts, client_of(parts) as client:
        for seconds, target in ((0, CART), (5, CART), (5, "https://shop.example/"), (60, CART)):
            now[0] = NOON + seconds * 1000
            assert (await get(client, click(target))).status_code == 302
        assert [(row.url, row.ts[14:19]) for row in await kept_rows(parts)] == [
            (CART, "00:00"),
            ("https://shop.example/", "00:05"),
            (CART, "01:00"),
        ]


@pytest.mark.parametrize(
    "address",
    [
        "/v1/c/nonsense",
        "/v1/o/nonsense.gif",
        "/v1/u/nonsense",
        click(CART)[:-1],
        click(CART) + "x",
        pixel().removesuffix(".gif") + "x.gif",
        f"/v1/c/{signed('open', target=CART)}",
        f"/v1/o/{signed('click')}.gif",
        f"/v1/u/{signed('open')}",
        f"/v1/c/{MessageTokens(b'another').sign(MessageToken('shop', 'm', 'r', 'anna', 'email', CART), 'click')}",
        click(CART, site="gone"),
        way_out(site="gone"),
    ],
)
async def test_an_address_that_is_not_ours_leads_nowhere_and_says_nothing(
    client: Client, parts: CollectorParts, address: str
) -> None:
    response = await get(client, address)
    assert response.status_code == 404
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "location" not in response.headers
    assert not any(word in response.text for word in ("shop.example", "anna", "message-1", "token", "sign"))
    assert await kept_rows(parts) == []
    purpose = {"c": "click", "o": "open", "u": "unsubscribe"}[address[4]]
    refused = "micromoment_message_links_refused_total"
    assert parts.metrics.registry.get_sample_value(refused, {"purpose": purpose}) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
async def test_no_change_of_a_link_leads_anywhere_else(client: Client, data: st.DataObject) -> None:
    token = signed("click", target=CART)
    place = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.sampled_from("ABCabc012-_.~"))
    changed = token[:place] + character + token[place + 1 :]
    response = await get(client, f"/v1/c/{changed}")
    assert response.status_code == (302 if changed == token else 404)


async def test_a_full_journal_keeps_nobody_from_going_on(tmp_path: Path) -> None:
    async with running_parts(tmp_path, AWAY, journal=full_journal(tmp_path)) as parts, client_of(parts) as client:
        assert (await get(client, pixel())).content == PIXEL
        assert (await get(client, click(CART))).headers["location"] == CART
        assert (lost(parts, "email_opened", "journal"), lost(parts, "email_clicked", "journal")) == (1, 1)


async def test_a_broken_disk_keeps_nobody_from_going_on(tmp_path: Path) -> None:
    broken = FailingJournal(tmp_path / "journal")
    broken.fails = True
    async with running_parts(tmp_path, AWAY, journal=broken) as parts, client_of(parts) as client:
        assert (await get(client, click(CART))).headers["location"] == CART
        assert lost(parts, "email_clicked", "journal") == 1


async def test_who_asks_too_often_is_led_on_without_being_counted(tmp_path: Path) -> None:
    async with running_parts(tmp_path, AWAY, rate=RateLimit(0.1, 1)) as parts, client_of(parts) as client:
        for number in range(3):
            assert (await get(client, click(f"{CART}{number}"))).status_code == 302
        assert len(await kept_rows(parts)) == 1
        assert lost(parts, "email_clicked", "too_many_requests") == 2


@pytest.mark.parametrize(
    ("consent", "kept"), [("opt-out", 0), ("opt-in", 1), ("off", 1)], ids=["opt-out", "opt-in", "off"]
)
@pytest.mark.parametrize("header", ["sec-gpc", "dnt"])
async def test_a_browser_that_objects_is_heeded_unless_the_reader_said_yes(
    tmp_path: Path, consent: str, kept: int, header: str
) -> None:
    site = type(SHOP)("shop", "shop-key", consent=consent)  # type: ignore[arg-type]  # one of the modes
    async with running_parts(tmp_path, AWAY, sites=(site,)) as parts, client_of(parts) as client:
        assert (await get(client, click(CART), {**PERSON, header: "1"})).headers["location"] == CART
        assert len(await kept_rows(parts)) == kept
        assert lost(parts, "email_clicked", "no_consent") == 1 - kept


@pytest.mark.parametrize(
    ("said", "event"),
    [("shown", "message_shown"), ("clicked", "message_clicked"), ("dismissed", "message_dismissed")],
)
async def test_what_became_of_a_notification_is_kept_once(
    client: Client, parts: CollectorParts, said: str, event: str
) -> None:
    for _ in range(2):
        assert (await client.post(report(parts, said))).json() == {"success": True}
    assert await kept(parts) == [(event, "ada", "m-9", {"rule": "back_in_stock", "channel": "push"})]


async def test_other_reports_of_a_notification_are_refused(client: Client, parts: CollectorParts) -> None:
    for said in ("purchase", ""):
        reply = await client.post(report(parts, said))
        assert (reply.status_code, reply.json()["code"]) == (400, "malformed")


async def test_a_report_whose_token_is_not_ours_is_refused(client: Client, parts: CollectorParts) -> None:
    gone = MessageToken("gone", "m-9", "back_in_stock", "ada", "push")
    for address in (
        report(parts, "shown", purpose="click"),
        report(parts, "shown", gone),
        "/v1/callbacks/push/x?event=shown",
    ):
        assert (await client.post(address)).status_code == 404
    assert await kept(parts) == []


async def test_pages_learn_the_key_to_subscribe_with(parts: CollectorParts) -> None:
    with_key = msgspec.structs.replace(parts, settings=CollectorSettings(push_public_key="BPublic"))
    async with client_of(with_key) as client:
        assert (await client.get("/v1/push/key")).json() == {"key": "BPublic"}
