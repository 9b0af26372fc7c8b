"""A worker's turn, from lease to lease."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from micromoment.configuration.settings import Settings
from micromoment.roles import ownership
from micromoment.roles.ownership import work_as_owner
from micromoment.roles.redis_lease import LeaseTimes
from micromoment.serving import running
from tests.micromoment.roles.redis import redis_server
from tests.waiting import until
from warehouse.errors import ConfigurationError


class Works:
    """Something that works, and notes when it was opened and closed, and whether it may send."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.may_send: list[Callable[[], bool]] = []
        self.registry = CollectorRegistry()

    @property
    def figure(self) -> float | None:
        return self.registry.get_sample_value("micromoment_lease_held")

    @asynccontextmanager
    async def open(self, may_send: Callable[[], bool]) -> AsyncIterator[Coroutine[Any, Any, None]]:
        self.may_send.append(may_send)
        self.seen.append("opened")
        try:
            yield self._work()
        finally:
            self.seen.append("closed")

    async def _work(self) -> None:
        self.seen.append("works")
        await asyncio.Event().wait()


async def test_a_worker_works_once_it_is_the_owner_and_until_it_is_stopped(tmp_path: Path) -> None:
    settings = Settings(data_folder=str(tmp_path))
    first, second = Works(), Works()
    async with running(work_as_owner(settings, first.registry, first.open), "first"):
        await until(lambda: first.seen == ["opened", "works"])
        async with running(work_as_owner(settings, second.registry, second.open), "second"):
            await until(lambda: second.figure == 0.0)
            await asyncio.sleep(0.2)
            assert (first.figure, second.seen) == (1.0, [])
    assert first.seen == ["opened", "works", "closed"]
    async with running(work_as_owner(settings, CollectorRegistry(), second.open), "second"):
        await until(lambda: second.seen == ["opened", "works"])


async def test_a_failure_of_the_work_is_passed_on(tmp_path: Path) -> None:
    async def fails() -> None:
        raise ConfigurationError("cannot work")

    @asynccontextmanager
    async def opened(_: Callable[[], bool]) -> AsyncIterator[Coroutine[Any, Any, None]]:
        yield fails()

    with pytest.raises(ConfigurationError, match="cannot work"):
        await work_as_owner(Settings(data_folder=str(tmp_path)), CollectorRegistry(), opened)


async def test_after_a_lost_lease_work_begins_anew_and_what_was_begun_before_may_send_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ownership, "USUAL_TIMES", LeaseTimes(ends=2.0, trusted=1.0, renewed=0.3))
    works = Works()
    with redis_server(tmp_path) as redis:
        redis.start()
        settings = Settings(data_folder=str(tmp_path), redis=redis.url)
        async with running(work_as_owner(settings, works.registry, works.open), "worker"):
            await until(lambda: works.seen == ["opened", "works"])
            assert works.figure == 1.0
            redis.freeze()
            await until(lambda: works.seen == ["opened", "works", "closed"])
            assert works.figure == 0.0
            redis.thaw()
            await until(lambda: works.seen[3:] == ["opened", "works"])
            assert [may_send() for may_send in works.may_send] == [False, True]
