"""The bus, in one process and through Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from e2e.redis import running_redis
from micromoment.roles.shared import BANNERS, NEWS, Bus, open_bus
from micromoment.serving import running
from tests.waiting import until_told
from warehouse.errors import ConfigurationError


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Redis of this module's own."""
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@asynccontextmanager
async def hearing(bus: Bus, topic: str) -> AsyncIterator[list[bytes]]:
    """Listen to a topic until the block ends; what was heard, once the first of it can be."""
    heard: list[bytes] = []

    async def hears() -> bool:
        await bus.publish(topic, b"are you there?")
        await asyncio.sleep(0)
        return bool(heard)

    async with running(bus.listen(topic, heard.append), "ears"):
        await until_told(hears)
        yield heard


async def arrives(heard: list[bytes], data: bytes) -> bool:
    async def has_arrived() -> bool:
        return data in heard

    await until_told(has_arrived)
    return True


async def test_every_listener_of_a_topic_hears_each_message_in_order() -> None:
    async with open_bus("") as bus, hearing(bus, NEWS) as first, hearing(bus, NEWS) as second:
        for number in range(3):
            await bus.publish(NEWS, b"%d" % number)
        assert await arrives(first, b"2")
        assert await arrives(second, b"2")
        assert first[-3:] == second[-3:] == [b"0", b"1", b"2"]


async def test_a_topic_carries_nothing_of_another() -> None:
    async with open_bus("") as bus, hearing(bus, NEWS) as news, hearing(bus, BANNERS) as banners:
        await bus.publish(BANNERS, b"a banner")
        await bus.publish(NEWS, b"news")
        assert await arrives(news, b"news")
        assert await arrives(banners, b"a banner")
        assert b"a banner" not in news
        assert b"news" not in banners


async def test_a_message_is_dealt_with_before_the_next_is_heard() -> None:
    finished: list[bytes] = []
    both = asyncio.Event()

    async def hear(data: bytes) -> None:
        count = len(finished)
        await asyncio.sleep(0)
        assert len(finished) == count
        finished.append(data)
        if finished[-2:] == [b"1", b"2"]:
            both.set()

    async with open_bus("") as bus, running(bus.listen(NEWS, hear), "ears"):
        while not finished:
            await bus.publish(NEWS, b"0")
            await asyncio.sleep(0)
        for data in (b"1", b"2"):
            await bus.publish(NEWS, data)
        async with asyncio.timeout(10):
            await both.wait()


async def test_nobody_has_to_listen() -> None:
    async with open_bus("") as bus:
        await bus.publish(NEWS, b"to nobody")


async def test_processes_hear_each_other_through_redis(redis: str) -> None:
    async with open_bus(redis) as collector, open_bus(redis) as worker, hearing(collector, BANNERS) as heard:
        await worker.publish(BANNERS, b"\x00 a banner")
        assert await arrives(heard, b"\x00 a banner")


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "http://127.0.0.1", "redis://127.0.0.1:port"])
async def test_a_redis_that_cannot_be_used_is_told_with_the_remedy(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^redis: ") as refusal:
        async with open_bus(url):
            pass
    assert "MICROMOMENT_REDIS" in refusal.value.hint
