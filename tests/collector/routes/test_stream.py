"""Over a real server: a stream never ends by itself, which test clients wait for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import httpx
import msgspec
import pytest

from collector.app import create_app
from collector.banners.desk import MAX_STREAMS_EACH
from collector.parts import Bounds, CollectorParts, CollectorSettings, open_streams
from collector.rate import RateLimit
from micromoment.serving import serve
from tests.collector.away import AWAY
from tests.collector.collector_parts import SDK, client_of, running_parts
from tests.collector.messages import NOON, message
from tests.collector.stored_banners import store_banner
from tests.waiting import until
from warehouse.banner_notice import BannerNotice
from warehouse.connection import Warehouse
from warehouse.errors import WarehouseUnavailable

WAIT_SECONDS = 10


class AwayWarehouse:
    """Nothing answers."""

    def query(self, *_: object) -> None:
        raise WarehouseUnavailable("nobody there")


@dataclass(frozen=True)
class Service:
    """A collector that listens."""

    parts: CollectorParts
    url: str

    def token(self, anonymous_id: str = "cookie", site: str = "shop") -> str:
        return self.parts.tokens.issue(site, anonymous_id, NOON)


class Page:
    """What an EventSource sees: one block of lines at a time."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()

    async def next_block(self) -> dict[str, str]:
        """Return the fields of the next block; a comment has the empty name."""
        block: dict[str, str] = {}
        async with asyncio.timeout(WAIT_SECONDS):
            async for line in self._lines:
                if not line and block:
                    return block
                name, _, value = line.partition(":")
                if line:
                    block[name] = value.strip()
        raise AssertionError("the stream ended")

    async def next_banner(self) -> dict[str, str]:
        """Return the next block that is no comment."""
        while "data" not in (block := await self.next_block()):
            pass
        return block


@asynccontextmanager
async def listening(
    folder: Path, warehouse: Warehouse, heartbeat_seconds: float = 15, bounds: Bounds | None = None
) -> AsyncIterator[Service]:
    settings = CollectorSettings(heartbeat_seconds=heartbeat_seconds)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    collector = running_parts(folder, warehouse, settings=settings, bounds=bounds or Bounds())
    async with collector as parts, serve(create_app(parts, SDK), "127.0.0.1", port, "collector_port"):
        yield Service(parts, f"http://127.0.0.1:{port}")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def open_page(service: Service, token: str) -> AsyncIterator[Page]:
    async with (
        httpx.AsyncClient(timeout=WAIT_SECONDS) as client,
        client.stream("GET", f"{service.url}/v1/stream", headers=bearer(token)) as response,
    ):
        assert response.status_code == 200, await response.aread()
        page = Page(response)
        assert await page.next_block() == {"": "open", "retry": "2000"}
        yield page


@pytest.fixture
async def service(tmp_path: Path, embedded_warehouse: Warehouse) -> AsyncIterator[Service]:
    async with listening(tmp_path, embedded_warehouse) as service:
        yield service


def deliver(service: Service, message_id: str, *anonymous_ids: str) -> None:
    banner = msgspec.Raw(msgspec.json.encode({"message_id": message_id}))
    service.parts.desk.take(BannerNotice("shop", message_id, anonymous_ids, NOON + 1, banner))


async def until_closed(service: Service) -> None:
    await until(lambda: not service.parts.metrics.registry.get_sample_value("micromoment_open_streams"))


async def test_a_banner_reaches_an_open_page(service: Service) -> None:
    async with open_page(service, service.token()) as page:
        deliver(service, "m", "cookie")
        assert await page.next_banner() == {"id": "m", "event": "banner", "data": '{"message_id":"m"}'}


async def test_a_banner_is_never_delivered_to_another_visitor_or_site(service: Service) -> None:
    async with (
        open_page(service, service.token("ben")) as ben,
        open_page(service, service.token("cookie", site="strict")) as elsewhere,
    ):
        deliver(service, "for ada", "ada")
        deliver(service, "for ben", "ben")
        deliver(service, "for cookie", "cookie")
        assert (await ben.next_banner())["id"] == "for ben"
        deliver(service, "last", "ben")
        assert (await ben.next_banner())["id"] == "last"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await elsewhere.next_banner()


async def test_banners_that_were_not_shown_are_sent_to_a_page_that_opens(service: Service) -> None:
    store_banner(service.parts.warehouse, "stored")
    store_banner(service.parts.warehouse, "shown")
    store_banner(service.parts.warehouse, "shown", "shown")
    deliver(service, "waiting", "cookie")
    deliver(service, "stored", "cookie")
    async with open_page(service, service.token()) as page:
        assert [(await page.next_banner())["id"] for _ in range(2)] == ["stored", "waiting"]
        deliver(service, "live", "cookie")
        assert (await page.next_banner())["id"] == "live"


async def test_a_page_that_connects_again_gets_what_it_missed(service: Service) -> None:
    async with open_page(service, service.token()):
        pass
    store_banner(service.parts.warehouse, "missed")
    async with open_page(service, service.token()) as page:
        assert (await page.next_banner())["id"] == "missed"


async def test_a_banner_that_a_page_reported_as_shown_is_sent_to_no_page_again(service: Service) -> None:
    deliver(service, "shown", "cookie", "phone")
    report = message(type="track", event="message_shown", properties={"message_id": "shown"})
    async with httpx.AsyncClient() as client:
        reply = await client.post(f"{service.url}/v1/batch", json={"writeKey": "shop-key", "batch": [report]})
    assert reply.json()["success"]
    async with open_page(service, service.token("phone")) as page:
        deliver(service, "live", "phone")
        assert (await page.next_banner())["id"] == "live"


async def test_a_silent_stream_shows_signs_of_life(tmp_path: Path, embedded_warehouse: Warehouse) -> None:
    async with (
        listening(tmp_path, embedded_warehouse, heartbeat_seconds=0.02) as service,
        open_page(service, service.token()) as page,
    ):
        assert [(await page.next_block())[""] for _ in range(3)] == ["heartbeat"] * 3


async def test_a_page_still_gets_live_banners_while_clickhouse_is_away(tmp_path: Path) -> None:
    async with (
        listening(tmp_path, cast(Warehouse, AwayWarehouse())) as service,
        open_page(service, service.token()) as page,
    ):
        deliver(service, "live", "cookie")
        assert (await page.next_banner())["id"] == "live"


@pytest.mark.parametrize("token", ["x", "forged", "a.b", "forged.forged"])
async def test_a_stream_needs_a_token_that_is_valid(service: Service, token: str) -> None:
    async with httpx.AsyncClient() as client:
        reply = await client.get(f"{service.url}/v1/stream", headers=bearer(token))
    assert (reply.status_code, reply.json()["code"]) == (401, "bad_token")


@pytest.mark.parametrize("scheme", ["", "Basic ", "Token "])
async def test_a_token_stands_in_the_bearer_header_and_never_in_an_address(service: Service, scheme: str) -> None:
    token = service.token()
    async with httpx.AsyncClient() as client:
        headers = {"Authorization": scheme + token} if scheme else {}
        reply = await client.get(f"{service.url}/v1/stream", params={"token": token}, headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (401, "bad_token")


async def test_a_visitor_has_so_many_pages_and_no_more(service: Service) -> None:
    async with AsyncExitStack() as pages, httpx.AsyncClient() as client:
        for _ in range(MAX_STREAMS_EACH):
            await pages.enter_async_context(open_page(service, service.token()))
        reply = await client.get(f"{service.url}/v1/stream", headers=bearer(service.token()))
        assert (reply.status_code, reply.json()["code"]) == (429, "too_many_streams")
        assert reply.headers["retry-after"] == "60"


async def test_a_page_that_went_away_is_forgotten(tmp_path: Path, embedded_warehouse: Warehouse) -> None:
    async with listening(tmp_path, embedded_warehouse, heartbeat_seconds=0.02) as service:
        async with open_page(service, service.token()):
            assert service.parts.metrics.registry.get_sample_value("micromoment_open_streams") == 1
        await until_closed(service)


async def test_proxies_are_told_to_pass_a_stream_on_at_once(service: Service) -> None:
    async with (
        httpx.AsyncClient() as client,
        client.stream("GET", f"{service.url}/v1/stream", headers=bearer(service.token())) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-accel-buffering"] == "no"


async def test_an_address_has_so_many_streams_open_and_gets_them_back(tmp_path: Path) -> None:
    bounds = Bounds(streams=open_streams(2))
    away = cast(Warehouse, AwayWarehouse())
    async with listening(tmp_path, away, bounds=bounds) as service, httpx.AsyncClient() as client:
        async with open_page(service, service.token("a")), open_page(service, service.token("b")):
            refused = await client.get(f"{service.url}/v1/stream", headers=bearer(service.token("c")))
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")
            assert int(refused.headers["retry-after"]) > 0
        await until(lambda: len(bounds.streams) == 0)
        async with open_page(service, service.token("c")):
            assert len(bounds.streams) == 1


async def test_who_opens_streams_too_often_has_to_wait(tmp_path: Path) -> None:
    async with running_parts(tmp_path, AWAY, rate=RateLimit(0.1, 2)) as parts, client_of(parts) as client:
        codes = [(await client.get("/v1/stream?token=forged")).status_code for _ in range(3)]
    assert codes == [401, 401, 429]


async def test_a_token_of_a_site_that_is_gone_opens_nothing(tmp_path: Path) -> None:
    async with running_parts(tmp_path, AWAY) as parts, client_of(parts) as client:
        reply = await client.get("/v1/stream", params={"token": parts.tokens.issue("gone", "cookie", NOON)})
    assert (reply.status_code, reply.json()["code"]) == (401, "bad_token")
