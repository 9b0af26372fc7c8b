"""The lease in Redis, whatever happens to Redis and to its owner."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from e2e.redis import RedisServer
from micromoment.roles.redis_client import redis_client
from micromoment.roles.redis_lease import LeaseTimes, RedisLease
from tests.micromoment.roles.redis import redis_server
from tests.waiting import until

TIMES = LeaseTimes(ends=2.0, trusted=1.5, renewed=0.3)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as server:
        server.start()
        yield server


@asynccontextmanager
async def worker(redis: RedisServer, times: LeaseTimes = TIMES) -> AsyncIterator[tuple[RedisLease, asyncio.Event]]:
    """A lease that a worker asks for, and whether it was lost."""
    lost = asyncio.Event()
    async with redis_client(redis.url) as client:
        lease = RedisLease(client, lost.set, times)
        try:
            yield lease, lost
        finally:
            await lease.release()


async def test_the_second_waits_says_so_once_and_takes_over_when_the_first_ends(redis: RedisServer) -> None:
    async with worker(redis) as (first, _), worker(redis) as (second, _):
        await first.acquire()
        with capture_logs() as logs:
            waiting = asyncio.create_task(second.acquire())
            await asyncio.sleep(TIMES.ends + 1.0)
            assert first.is_held()
            assert not second.is_held()
            assert not waiting.done()
            await first.release()
            assert not first.is_held()
            async with asyncio.timeout(5):
                await waiting
        assert second.is_held()
        assert second.number > first.number > 0
    assert [line["event"] for line in logs] == ["worker_waits_for_lease", "lease_acquired"]
    assert ", process " in logs[0]["reason"]


async def test_an_owner_that_slept_too_long_knows_it_before_anything_else(redis: RedisServer) -> None:
    async with worker(redis) as (first, lost), worker(redis) as (second, _):
        await first.acquire()
        time.sleep(TIMES.trusted)  # noqa: ASYNC251 - nothing of this process runs meanwhile
        assert not first.is_held()
        async with asyncio.timeout(10):
            await second.acquire()
            await lost.wait()
        assert second.is_held()
        assert not first.is_held()


async def test_a_lost_lease_stays_lost_though_nobody_else_had_it(redis: RedisServer) -> None:
    async with worker(redis) as (lease, lost):
        await lease.acquire()
        time.sleep(TIMES.trusted)  # noqa: ASYNC251 - as above
        async with asyncio.timeout(10):
            await lost.wait()
        await asyncio.sleep(1.0)
        assert not lease.is_held()


async def test_a_frozen_redis_ends_the_owners_trust_before_another_may_begin(redis: RedisServer) -> None:
    async with worker(redis) as (first, lost), worker(redis) as (second, _):
        await first.acquire()
        redis.freeze()
        begun = time.monotonic()
        await until(lambda: not first.is_held())
        assert time.monotonic() - begun < TIMES.ends
        async with asyncio.timeout(10):
            await lost.wait()
        redis.thaw()
        async with asyncio.timeout(10):
            await second.acquire()
        assert second.number > first.number


async def test_while_redis_is_plainly_not_there_its_owner_goes_on_and_nobody_else_begins(redis: RedisServer) -> None:
    async with worker(redis) as (first, lost), worker(redis) as (second, _):
        await first.acquire()
        redis.kill()
        waiting = asyncio.create_task(second.acquire())
        until_when = time.monotonic() + 2 * TIMES.ends
        while time.monotonic() < until_when:
            assert first.is_held()
            assert not waiting.done()
            await asyncio.sleep(0.02)
        redis.start()
        # Redis has forgotten the lease; its owner is the one that gets it back.
        await asyncio.sleep(2 * TIMES.ends)
        assert first.is_held()
        assert not lost.is_set()
        assert not waiting.done()
        await first.release()
        async with asyncio.timeout(10):
            await waiting
        assert second.number > first.number


async def test_a_redis_that_has_just_started_gives_the_lease_to_nobody_yet(redis: RedisServer) -> None:
    patient = LeaseTimes(ends=4.0, trusted=3.0, renewed=1.0)
    async with worker(redis, patient) as (lease, _):
        with capture_logs() as logs:
            begun = time.monotonic()
            await lease.acquire()
        assert time.monotonic() - begun > 1.5
    assert "Redis has just started" in logs[0]["reason"]


async def test_who_waits_for_a_redis_that_is_not_there_says_so_and_gets_the_lease_later(redis: RedisServer) -> None:
    redis.kill()
    async with worker(redis) as (lease, _):
        with capture_logs() as logs:
            waiting = asyncio.create_task(lease.acquire())
            await until(lambda: bool(logs))
            redis.start()
            async with asyncio.timeout(15):
                await waiting
        assert lease.is_held()
    assert "Redis does not answer" in logs[0]["reason"]


async def test_releasing_does_not_wait_for_a_frozen_redis(redis: RedisServer) -> None:
    async with worker(redis) as (lease, _):
        await lease.acquire()
        redis.freeze()
        begun = time.monotonic()
        await lease.release()
        assert time.monotonic() - begun < 6.0
    redis.thaw()
