from __future__ import annotations

import asyncio

import pytest

from collector.admission import turns
from collector.admission.turns import LargeBatches
from collector.errors import RequestError


async def test_large_batches_are_worked_on_one_at_a_time() -> None:
    large, under_way, most = LargeBatches(), 0, 0

    async def work(address: str) -> None:
        nonlocal under_way, most
        async with large.turn(address):
            under_way += 1
            most = max(most, under_way)
            assert await large.decode(len, b"abc") == 3
            under_way -= 1

    await asyncio.gather(*(work(f"address {number}") for number in range(20)))
    assert most == 1


async def test_an_address_that_has_its_large_batches_waiting_is_told_to_wait() -> None:
    large = LargeBatches(most_each=2)
    async with large.turn("a"):
        second = asyncio.create_task(large.turn("a").__aenter__())
        await asyncio.sleep(0)
        with pytest.raises(RequestError) as caught:
            async with large.turn("a"):
                pytest.fail("a third was let in")
        assert (caught.value.status, caught.value.code) == (429, "too_many_large")
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)


async def test_more_large_batches_than_there_is_room_for_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MAX_LARGE", 1)
    large = LargeBatches()
    async with large.turn("a"):
        with pytest.raises(RequestError) as caught:
            async with large.turn("b"):
                pytest.fail("a second was let in")
    assert (caught.value.status, caught.value.code) == (503, "busy")
