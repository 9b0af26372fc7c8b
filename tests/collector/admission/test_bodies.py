from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from litestar.types import Receive

from collector.admission.bodies import Bodies
from collector.errors import RequestError


def arriving(pieces: Sequence[bytes], then: Callable[[], Any] | None = None) -> Receive:
    """Return the `receive` of a request whose body comes in pieces; after them `then` is waited for."""
    left = list(pieces)

    async def receive() -> Any:
        if not left and then is not None:
            return await then()
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left) or then is not None}

    return cast(Receive, receive)


async def never() -> None:
    await asyncio.Event().wait()


async def hangs_up() -> dict[str, str]:
    return {"type": "http.disconnect"}


async def refused(bodies: Bodies, receive: Receive, address: str = "a") -> tuple[int, str]:
    with pytest.raises(RequestError) as caught:
        await bodies.read(receive, address, 100)
    return caught.value.status, caught.value.code


async def test_a_body_is_whole_however_it_comes() -> None:
    for pieces in ([b""], [b"abc"], [b"a", b"", b"bc"], [b"x" * 50, b"y" * 50]):
        assert await Bodies().read(arriving(pieces), "a", 100) == b"".join(pieces)


@pytest.mark.parametrize(
    ("receive", "answer"),
    [
        (arriving([b"x" * 101]), (413, "too_large")),
        (arriving([b"x" * 60, b"x" * 60], never), (413, "too_large")),
        (arriving([b"{"], never), (408, "too_slow")),
        (arriving([], never), (408, "too_slow")),
        (arriving([b"{"], hangs_up), (400, "cut_off")),
    ],
)
async def test_a_body_that_is_too_large_too_slow_or_cut_off_is_refused(
    receive: Receive, answer: tuple[int, str]
) -> None:
    bodies = Bodies(within_seconds=0.05)
    assert await refused(bodies, receive) == answer
    assert await bodies.read(arriving([b"next"]), "a", 100) == b"next"


async def test_an_address_may_be_sending_so_many_bodies_and_the_others_do_not_pay_for_it() -> None:
    bodies = Bodies(most_each=2)
    trickling = [asyncio.create_task(bodies.read(arriving([b"{"], never), "a", 100)) for _ in range(2)]
    await asyncio.sleep(0)
    assert await refused(bodies, arriving([b"{}"])) == (429, "too_many_bodies")
    assert await bodies.read(arriving([b"{}"]), "b", 100) == b"{}"
    for task in trickling:
        task.cancel()
    await asyncio.gather(*trickling, return_exceptions=True)
    assert await bodies.read(arriving([b"{}"]), "a", 100) == b"{}"


async def test_the_bodies_of_all_addresses_together_take_no_more_memory_than_they_may() -> None:
    bodies = Bodies(most_bytes=150)
    waiting = asyncio.create_task(bodies.read(arriving([b"x" * 100], never), "a", 100))
    await asyncio.sleep(0)
    assert await refused(bodies, arriving([b"x" * 60]), "b") == (503, "busy")
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await bodies.read(arriving([b"x" * 60]), "b", 100) == b"x" * 60
