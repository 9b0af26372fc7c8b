"""Each kind of statement has its own threads: one kind that is slow holds up no other, and is bounded."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.waiting import until
from warehouse.errors import WarehouseUnavailable
from warehouse.threads import Threads


@pytest.fixture
def release() -> threading.Event:
    return threading.Event()


async def test_slow_calls_of_one_kind_hold_up_no_other(release: threading.Event) -> None:
    slow, other = Threads("slow", 2), Threads("other", 1)
    waiting = [asyncio.create_task(slow.run(release.wait)) for _ in range(8)]
    async with asyncio.timeout(10):
        assert await other.run(lambda: 7) == 7
    assert not any(task.done() for task in waiting)
    release.set()
    assert await asyncio.gather(*waiting) == [True] * 8
    slow.close()
    other.close()


async def test_more_than_may_wait_are_refused_at_once_and_taken_again_later(release: threading.Event) -> None:
    threads = Threads("bounded", 1, 2)
    waiting = [asyncio.create_task(threads.run(release.wait)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(WarehouseUnavailable, match=r"3 statements of this kind \(bounded\) run or wait already"):
        await threads.run(lambda: None)
    release.set()
    await asyncio.gather(*waiting)
    await until(lambda: threads.open == 0)
    assert await threads.run(lambda: 1) == 1
    threads.close()


async def test_a_caller_who_gives_up_does_not_free_the_thread(release: threading.Event) -> None:
    threads = Threads("given up", 1, 0)
    running = threading.Event()

    def work() -> bool:
        running.set()
        return release.wait()

    given_up = asyncio.create_task(threads.run(work))
    await until(running.is_set)
    given_up.cancel()
    await asyncio.wait([given_up])
    with pytest.raises(WarehouseUnavailable):
        await threads.run(lambda: None)
    release.set()
    await until(lambda: threads.open == 0)
    assert await threads.run(lambda: 1) == 1
    threads.close()


async def test_an_error_is_the_callers() -> None:
    threads = Threads("failing", 1)
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0)
    threads.close()
