"""Redis is killed while pages are open, and comes back: nothing is lost, nothing comes twice, and nobody waits long.

`REDIS_AWAY_SECONDS` says for how long it is away, a few seconds unless set.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from bench.shop import uuid7
from e2e.redis import RedisServer
from micromoment.configuration.settings import Settings
from micromoment.roles.collector import run_collector
from micromoment.roles.shared import Shared
from micromoment.roles.worker import run_worker
from tests.micromoment.roles.installation import WRITE_KEY, settings_in, sharing
from tests.micromoment.roles.redis import redis_server
from tests.waiting import until
from warehouse.browser_id import make_browser_id
from warehouse.connection import Warehouse

AWAY_SECONDS: Final = float(os.environ.get("REDIS_AWAY_SECONDS", "6"))
#: Between two events while Redis is away.
PACE_SECONDS: Final = 0.5
#: Within which a banner is on its page by way of ClickHouse; a machine that is busy with other tests takes longer.
WITHIN_SECONDS: Final = 2.0 if "REDIS_AWAY_SECONDS" in os.environ else 10.0

_numbers = itertools.count()


@asynccontextmanager
async def installation(settings: Settings, warehouse: Warehouse) -> AsyncIterator[Shared]:
    """Collector and worker, which reach each other through Redis only."""
    async with sharing(settings, warehouse) as shared, run_collector(shared), run_worker(shared):
        yield shared


class Page:
    """A page of a browser of its own.

    Attributes:
        banners: each message that came, with the instant, in seconds.
        hovered_at: when it sent each event that asks for a banner.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._secret = f"{next(_numbers):032x}"
        self.browser = make_browser_id(time.time_ns() // 1_000_000, self._secret)
        self.banners: list[tuple[str, float]] = []
        self.hovered_at: list[float] = []
        self._token = ""

    async def tell(self, event: str) -> None:
        """Send an event, and take what the reply brings."""
        message = {"type": "track", "event": event, "anonymousId": self.browser, "messageId": uuid7(0, next(_numbers))}
        if event == "hover":
            self.hovered_at.append(time.monotonic())
        body = {"writeKey": WRITE_KEY, "browserSecret": self._secret, "batch": [message]}
        reply = await self._client.post("/v1/batch", json=body)
        assert reply.status_code == 200, reply.text
        said = reply.json()
        self._token = said["token"]
        self._take(said.get("messages", []))

    async def listen(self) -> None:
        """Take banners from a stream that stays open until cancelled."""
        async with self._client.stream(
            "GET", "/v1/stream", headers={"Authorization": f"Bearer {self._token}"}
        ) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data: "):
                    self._take([msgspec.json.decode(line.removeprefix("data: "))])

    def delays(self) -> list[float]:
        """Return how long each banner took, in seconds."""
        return [at - asked for (_, at), asked in zip(self.banners, self.hovered_at, strict=True)]

    def _take(self, banners: list[dict[str, Any]]) -> None:
        self.banners += [(banner["message_id"], time.monotonic()) for banner in banners]


@asynccontextmanager
async def listening(pages: list[Page]) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for page in pages:
            await page.tell("page_view")
            task = asyncio.create_task(page.listen())
            stack.callback(task.cancel)
        yield


async def hover(page: Page) -> None:
    """Let a page ask for a banner, and wait for it."""
    await page.tell("hover")
    await until(lambda: len(page.banners) == len(page.hovered_at))


async def hover_until(pages: list[Page], end: float) -> None:
    """Let one page after another ask for a banner until an instant."""
    for page in itertools.cycle(pages):
        if time.monotonic() >= end:
            return
        await page.tell("hover")
        await asyncio.sleep(PACE_SECONDS)


async def ask_by_batches(page: Page) -> None:
    """Let a page without a stream ask for a banner, and take it from the reply to one of its next batches."""
    await page.tell("hover")
    until_seconds = time.monotonic() + 60
    while not page.banners and time.monotonic() < until_seconds:
        await asyncio.sleep(0.2)
        await page.tell("page_view")


def figure(shared: Shared, name: str) -> float:
    return shared.registry.get_sample_value(name) or 0.0


async def test_while_redis_is_away_banners_come_by_clickhouse_and_nothing_is_lost_or_doubled(
    embedded_warehouse: Warehouse, tmp_path: Path
) -> None:
    with redis_server(tmp_path) as redis:
        redis.start()
        settings = settings_in(tmp_path, redis=redis.url)
        async with (
            installation(settings, embedded_warehouse) as shared,
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{settings.collector_port}",
                timeout=30,
                limits=httpx.Limits(max_connections=None),
            ) as client,
        ):
            await until(lambda: shared.bus.state() == "ok" and figure(shared, "micromoment_sweeps_total") > 0)
            pages, other = [Page(client) for _ in range(5)], Page(client)
            async with listening(pages):
                await _go_through_the_outage(shared, redis, pages, other)
    everybody = [*pages, other]
    _report(everybody)
    ids = Counter(message for page in everybody for message, _ in page.banners)
    assert set(ids.values()) == {1}, "a banner came twice"
    assert ids.total() == sum(len(page.hovered_at) for page in everybody)
    ((fires, distinct),) = embedded_warehouse.query("SELECT count(), uniqExact(fire_id) FROM fires")
    assert fires == distinct == ids.total()


async def _go_through_the_outage(shared: Shared, redis: RedisServer, pages: list[Page], other: Page) -> None:
    for page in pages:
        await hover(page)
    redis.kill()
    await until(lambda: shared.bus.state() != "ok")
    await asyncio.gather(hover_until(pages, time.monotonic() + AWAY_SECONDS), ask_by_batches(other))
    redis.start()
    # Sent while roles connect again, one after the other: the bus has a gap that ends at another instant for each.
    await hover_until(pages, time.monotonic() + 2 * PACE_SECONDS)
    await until(lambda: shared.bus.state() == "ok")
    for page in pages:
        await until(lambda page=page: len(page.banners) == len(page.hovered_at))  # type: ignore[misc]
        await hover(page)
    assert figure(shared, "micromoment_banners_missed_total") > 0
    _report([*pages, other])
    slowest = max(delay for page in [*pages, other] for delay in page.delays())
    assert slowest <= WITHIN_SECONDS


def _report(pages: list[Page]) -> None:
    delays = sorted(delay for page in pages for delay in page.delays())
    print(f"{len(delays)} banners, delays in seconds: {delays[0]:.3f} to {delays[-1]:.3f}")
    print(f"median {delays[len(delays) // 2]:.3f}, p99 {delays[int(len(delays) * 0.99)]:.3f}")
