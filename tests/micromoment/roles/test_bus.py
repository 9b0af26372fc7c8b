"""The bus, in one process and through Redis, whatever happens to Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from e2e.redis import RedisServer
from micromoment.roles import redis_outgoing
from micromoment.roles.bus import Bus, BusListener
from micromoment.roles.redis_client import redis_client
from micromoment.roles.shared import open_bus
from tests.micromoment.roles.redis import redis_server
from tests.waiting import until
from tests.warehouse.rows import NOON, event_row
from warehouse.address_ledger import AddressFact
from warehouse.banner_notice import BannerNotice
from warehouse.errors import ConfigurationError
from warehouse.event import EventRow
from warehouse.slots import ALL_SLOTS, slot_of

NOTICE = BannerNotice("shop", "m", ("anna",), NOON, msgspec.Raw(b'{"title":"\\u00e9"}'))


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server of the test's own, that has not started yet."""
    with redis_server(tmp_path) as server:
        yield server


@pytest.fixture(params=["one process", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The setting `redis`, once for each kind of bus."""
    if request.param == "one process":
        yield ""
        return
    with redis_server(tmp_path) as server:
        server.start()
        yield server.url


class Ears:
    """Note everything that a bus tells."""

    def __init__(self, slots: frozenset[int] = ALL_SLOTS) -> None:
        self.rows: list[EventRow] = []
        self.at: list[int] = []
        self.news = 0
        self.banners: list[BannerNotice] = []
        self.facts: list[AddressFact] = []
        self.gaps = 0
        self.since = 0
        self.listener = BusListener(
            self.accept, slots, self.hear_news, self.banners.append, self.facts.extend, self.notice_gap
        )

    def accept(self, rows: Sequence[EventRow], at: int) -> None:
        self.rows += rows
        self.at.append(at)

    def hear_news(self) -> None:
        self.news += 1

    def notice_gap(self, since: int) -> None:
        self.gaps += 1
        self.since = since


@asynccontextmanager
async def opened(url: str, *ears: Ears) -> AsyncIterator[tuple[Bus, CollectorRegistry]]:
    """A bus with listeners that hear it already, and the figures of it."""
    registry = CollectorRegistry()
    async with open_bus(url, registry) as bus, _listening(bus, *ears):
        await until(lambda: bus.state() == "ok" and all(one.gaps for one in ears))
        yield bus, registry


@asynccontextmanager
async def _listening(bus: Bus, *ears: Ears) -> AsyncIterator[None]:
    if not ears:
        yield
        return
    async with bus.listening(ears[0].listener), _listening(bus, *ears[1:]):
        yield


def dropped(registry: CollectorRegistry, reason: str) -> float:
    return registry.get_sample_value("micromoment_bus_dropped_total", {"reason": reason}) or 0.0


def rows_of(*visitors: str) -> list[EventRow]:
    return [event_row(visitor_id=visitor, event_id=f"event of {visitor}") for visitor in visitors]


async def test_every_listener_hears_accepted_events_as_they_were_with_their_instant(url: str) -> None:
    rows = [event_row(price=1.5, props='{"a": "é"}'), *rows_of(*(f"v{number}" for number in range(20)))]
    first, second = Ears(), Ears()
    async with opened(url, first, second) as (bus, _):
        bus.publish_accepted(rows, NOON)
        await until(lambda: len(first.rows) == len(second.rows) == len(rows))
    by_id = {row.event_id: row for row in rows}
    assert {row.event_id: row for row in first.rows} == {row.event_id: row for row in second.rows} == by_id
    assert set(first.at) == {NOON}


async def test_events_of_one_visitor_come_in_their_order(url: str) -> None:
    rows = [event_row(event_id=str(number)) for number in range(300)]
    ears = Ears()
    async with opened(url, ears) as (bus, _):
        for row in rows:
            bus.publish_accepted([row], NOON)
        await until(lambda: len(ears.rows) == len(rows))
    assert ears.rows == rows


async def test_a_listener_hears_of_the_slots_that_it_owns(url: str) -> None:
    mine, theirs = slot_of("shop", "anna"), slot_of("shop", "bob")
    assert mine != theirs
    ears, others = Ears(frozenset({mine})), Ears(frozenset({theirs}))
    async with opened(url, ears, others) as (bus, _):
        bus.publish_accepted(rows_of("anna", "bob"), NOON)
        await until(lambda: bool(ears.rows and others.rows))
    assert [row.visitor_id for row in ears.rows] == ["anna"]
    assert [row.visitor_id for row in others.rows] == ["bob"]


async def test_news_and_banners_reach_who_wants_to_hear_them(url: str) -> None:
    ears, deaf = Ears(), Ears()
    deaf.listener = BusListener(on_gap=deaf.notice_gap, on_news=deaf.hear_news)
    async with opened(url, ears, deaf) as (bus, _):
        bus.publish_banner(NOTICE)
        bus.publish_news()
        await until(lambda: bool(ears.banners and ears.news and deaf.news))
    assert ears.banners == [NOTICE]
    assert not deaf.banners


async def test_a_listener_that_fails_is_counted_and_stops_nobody(url: str) -> None:
    broken, ears = Ears(), Ears()
    broken.listener = BusListener(on_news=[].pop, on_gap=broken.notice_gap)
    async with opened(url, broken, ears) as (bus, registry):
        bus.publish_news()
        await until(lambda: ears.news == 1 and dropped(registry, "listener_failed") == 1)


async def test_nobody_hears_a_bus_after_listening(url: str) -> None:
    ears, others = Ears(), Ears()
    async with opened(url, others) as (bus, _):
        async with bus.listening(ears.listener):
            await until(lambda: bool(ears.gaps))
        bus.publish_news()
        await until(lambda: others.news == 1)
    assert not ears.news


async def test_in_one_process_a_banner_is_with_its_listener_when_publishing_returns() -> None:
    ears = Ears()
    async with opened("", ears) as (bus, registry):
        bus.publish_banner(NOTICE)
        assert ears.banners[0] is NOTICE
        assert registry.get_sample_value("micromoment_bus_connected") == 1.0


async def test_installations_with_a_database_of_their_own_do_not_hear_each_other(redis: RedisServer) -> None:
    redis.start()
    ears, others = Ears(), Ears()
    other_database = redis.url.removesuffix("/0") + "/1"
    async with opened(redis.url, ears) as (bus, _), opened(other_database, others) as (other_bus, _):
        bus.publish_news()
        await until(lambda: bool(ears.news))
        other_bus.publish_news()
        await until(lambda: bool(others.news))
    assert (ears.news, others.news) == (1, 1)


async def test_messages_of_another_version_are_counted_and_what_follows_is_heard(redis: RedisServer) -> None:
    redis.start()
    ears = Ears()
    async with opened(redis.url, ears) as (bus, registry), redis_client(redis.url) as client:
        for channel in (f"accepted:{slot_of('shop', 'anna')}", "banners"):
            for data in (b"\xff\x00", b'{"from": "the future"}', b"", b"null", b'{"site": 1}', b'{"site": "\xff"}'):
                await client.publish(f"micromoment:0:{channel}", data)
        bus.publish_banner(NOTICE)
        await until(lambda: bool(ears.banners))
        assert dropped(registry, "unreadable") == 12
    assert not ears.rows


@pytest.mark.parametrize("url", ["http://127.0.0.1", "redis://127.0.0.1:port", "redis://127.0.0.1?no_option=1"])
async def test_an_address_of_a_wrong_form_is_told_with_the_remedy(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^redis: ") as refusal:
        async with open_bus(url, CollectorRegistry()):
            pass
    assert "MICROMOMENT_REDIS" in refusal.value.hint


async def test_a_redis_that_is_not_there_at_the_start_is_found_once_it_is(redis: RedisServer) -> None:
    ears, registry = Ears(), CollectorRegistry()
    with capture_logs() as logs:
        async with open_bus(redis.url, registry) as bus, bus.listening(ears.listener):
            await until(lambda: bus.state() != "connecting")
            bus.publish_news()
            await until(lambda: dropped(registry, "away") == 1)
            assert registry.get_sample_value("micromoment_bus_connected") == 0.0
            redis.start()
            await until(lambda: bus.state() == "ok" and bool(ears.gaps))
            assert registry.get_sample_value("micromoment_bus_connected") == 1.0
            bus.publish_news()
            await until(lambda: bool(ears.news))
    assert [line["event"] for line in logs] == ["bus_away", "bus_connected"]
    assert "MICROMOMENT_REDIS" in logs[0]["remedy"]


async def test_a_killed_redis_costs_what_was_under_way_and_listeners_are_told(redis: RedisServer) -> None:
    redis.start()
    ears = Ears()
    with capture_logs() as logs:
        async with opened(redis.url, ears) as (bus, registry):
            gaps = ears.gaps
            redis.kill()
            await until(lambda: bus.state() != "ok")
            await until(lambda: _is_dropped(bus, registry))
            redis.start()
            await until(lambda: bus.state() == "ok" and ears.gaps > gaps)
            bus.publish_accepted(rows_of("anna"), NOON)
            await until(lambda: bool(ears.rows))
    assert [line["event"] for line in logs] == ["bus_connected", "bus_away", "bus_connected"]


def _is_dropped(bus: Bus, registry: CollectorRegistry) -> bool:
    bus.publish_news()
    return dropped(registry, "away") > 0


async def test_a_frozen_redis_holds_up_no_publisher_and_is_noticed(redis: RedisServer) -> None:
    redis.start()
    ears = Ears()
    async with opened(redis.url, ears) as (bus, registry):
        redis.freeze()
        begun = time.perf_counter()
        for _ in range(1_000):
            bus.publish_accepted(rows_of("anna"), NOON)
        assert time.perf_counter() - begun < 5.0
        await until(lambda: "ok" not in bus.state() and dropped(registry, "away") >= 1_000)
        gaps = ears.gaps
        redis.thaw()
        await until(lambda: bus.state() == "ok" and ears.gaps > gaps)
        bus.publish_news()
        await until(lambda: bool(ears.news))


async def test_closing_a_bus_does_not_wait_for_a_frozen_redis(redis: RedisServer) -> None:
    redis.start()
    async with asyncio.timeout(10):
        async with opened(redis.url, Ears()):
            redis.freeze()
    redis.thaw()


async def test_what_does_not_fit_is_dropped_and_listeners_are_told_to_ask(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis.start()
    monkeypatch.setattr(redis_outgoing, "MAX_WAITING", 3)
    ears = Ears()
    async with opened(redis.url, ears) as (bus, registry):
        gaps = ears.gaps
        for _ in range(5):
            bus.publish_accepted(rows_of("anna"), NOON)
        assert dropped(registry, "full") == 2
        await until(lambda: len(ears.rows) == 3 and ears.gaps > gaps)


async def test_the_bytes_that_wait_are_bounded_too(redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    redis.start()
    monkeypatch.setattr(redis_outgoing, "MAX_WAITING_BYTES", 1_500)
    ears = Ears()
    async with opened(redis.url, ears) as (bus, registry):
        for _ in range(2):
            bus.publish_accepted([event_row(props="x" * 1_000)], NOON)
        assert dropped(registry, "full") == 1
        await until(lambda: len(ears.rows) == 1)
        bus.publish_accepted([event_row(props="x" * 1_000)], NOON)
        await until(lambda: len(ears.rows) == 2)


async def test_messages_that_wait_go_out_together(redis: RedisServer) -> None:
    redis.start()
    ears = Ears()
    async with opened(redis.url, ears) as (bus, _), redis_client(redis.url) as client:
        before = await _reads(client)
        for _ in range(500):
            bus.publish_news()
        await until(lambda: ears.news == 500)
        assert await _reads(client) - before < 50


async def _reads(client: Any) -> int:
    return int((await client.info("stats"))["total_reads_processed"])
