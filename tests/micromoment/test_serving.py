from __future__ import annotations

import asyncio

import pytest

from micromoment.serving import running


async def test_work_runs_beside_the_block_and_stops_with_it() -> None:
    seen: list[str] = []

    async def work() -> None:
        seen.append("started")
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("stopped")

    async with running(work(), "work"):
        await asyncio.sleep(0)
        assert seen == ["started"]
    assert seen == ["started", "stopped"]


async def test_work_that_fails_stops_the_block_with_its_error() -> None:
    async def work() -> None:
        raise KeyError("bug")

    with pytest.raises(KeyError, match="bug"):
        async with asyncio.timeout(10), running(work(), "work"):
            await asyncio.Event().wait()


async def test_an_error_of_the_block_is_its_own() -> None:
    with pytest.raises(ValueError, match="mine"):
        async with running(asyncio.sleep(60), "work"):
            raise ValueError("mine")


async def test_cancelling_the_block_is_no_failure_of_the_work() -> None:
    async def block() -> None:
        async with running(asyncio.sleep(60), "work"):
            await asyncio.Event().wait()

    task = asyncio.create_task(block())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
