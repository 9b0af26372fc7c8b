"""Servers and background work that end with a block."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from litestar import Litestar, get

from e2e.ports import free_ports
from micromoment import serving
from micromoment.serving import require_free, running, serve
from warehouse.errors import ConfigurationError


async def forever() -> None:
    await asyncio.Event().wait()


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
        async with running(forever(), "work"):
            raise ValueError("mine")


async def test_cancelling_the_block_is_no_failure_of_the_work() -> None:
    async def block() -> None:
        async with running(forever(), "work"):
            await asyncio.Event().wait()

    task = asyncio.create_task(block())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def app_of(entered: asyncio.Event, leave: asyncio.Event) -> Litestar:
    """An application that answers at once, or once it may."""

    @get("/now")
    async def now() -> str:
        return "now"

    @get("/slow")
    async def slow() -> str:
        entered.set()
        await leave.wait()
        return "at last"

    return Litestar([now, slow], openapi_config=None, logging_config=None)


async def test_a_server_answers_as_long_as_the_block_lasts() -> None:
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}/now"
    async with httpx.AsyncClient() as client:
        async with serve(app_of(asyncio.Event(), asyncio.Event()), "127.0.0.1", port, "collector_port"):
            assert (await client.get(url)).text == "now"
        with pytest.raises(httpx.ConnectError):
            await client.get(url)


async def test_a_request_under_way_is_answered_before_the_server_ends() -> None:
    (port,) = free_ports(1)
    entered, leave = asyncio.Event(), asyncio.Event()
    async with httpx.AsyncClient() as client:
        async with serve(app_of(entered, leave), "127.0.0.1", port, "collector_port"):
            answer = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/slow"))
            await entered.wait()
            asyncio.get_running_loop().call_later(0.05, leave.set)
        assert (await answer).text == "at last"


async def test_a_connection_that_asks_for_nothing_does_not_hold_the_server_up() -> None:
    (port,) = free_ports(1)
    async with asyncio.timeout(4):
        async with serve(app_of(asyncio.Event(), asyncio.Event()), "127.0.0.1", port, "collector_port"):
            _, idle = await asyncio.open_connection("127.0.0.1", port)
            async with httpx.AsyncClient() as kept:
                await kept.get(f"http://127.0.0.1:{port}/now")
    idle.close()


async def test_a_port_that_is_taken_is_named_with_its_setting_and_variable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError) as refusal:
            async with serve(app_of(asyncio.Event(), asyncio.Event()), "127.0.0.1", port, "store_port"):
                pass
    assert refusal.value.message == f"store_port: 127.0.0.1:{port} is in use"
    assert "MICROMOMENT_STORE_PORT" in refusal.value.hint


def test_an_address_of_another_machine_cannot_be_listened_on() -> None:
    with pytest.raises(ConfigurationError, match=r"worker_port: 192\.0\.2\.1:80\d\d cannot be listened on: "):
        require_free("192.0.2.1", 8003, "worker_port")


def test_a_port_that_is_free_stays_free() -> None:
    (port,) = free_ports(1)
    require_free("127.0.0.1", port, "worker_port")
    socket.create_server(("127.0.0.1", port)).close()


async def test_connections_beyond_the_limit_wait_until_another_ends() -> None:
    (port,) = free_ports(1)
    app = app_of(asyncio.Event(), asyncio.Event())
    async with serve(app, "127.0.0.1", port, "collector_port", connections=1):
        first, second = [httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) for _ in range(2)]
        async with second:
            async with first:
                assert (await first.get("/now")).text == "now"
                waiting = asyncio.create_task(second.get("/now"))
                assert (await first.get("/now")).text == "now"
                assert not waiting.done()
            assert (await waiting).text == "now"


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_a_server_may_open_as_many_files_as_it_has_connections() -> None:
    (port,) = free_ports(1)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    # The tests before may have left files open in this process.
    few = open_files() + 200
    resource.setrlimit(resource.RLIMIT_NOFILE, (few, limits[1]))
    try:
        async with serve(app_of(asyncio.Event(), asyncio.Event()), "127.0.0.1", port, "collector_port", 512):
            allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert max(512, few) < allowed <= most == limits[1]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Yield a connection to a server, on which nothing was sent yet."""
    (port,) = free_ports(1)
    async with serve(app_of(asyncio.Event(), asyncio.Event()), "127.0.0.1", port, "collector_port"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(20):
            yield reader, writer
        writer.close()


@pytest.mark.parametrize("sent", [b"", b"GET /now HTTP/1.1\r\nHost: x\r\n", b"GET /now HTTP/1.1\r\nHost: x\r\n\r\n"])
async def test_a_connection_that_sends_no_request_is_cut_off(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(serving, "_HEADERS_WITHIN_MS", 200)
    async with connection() as (reader, writer):
        writer.write(sent)
        await reader.read()  # ends with the connection


async def test_the_server_speaks_one_protocol() -> None:
    async with connection() as (reader, writer):
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\4" + bytes(5))
        assert await reader.read() == b"" or not (await reader.read()), "it answered in HTTP/2"


async def test_headers_larger_than_anybody_needs_are_refused() -> None:
    async with connection() as (reader, writer):
        headers = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 8000) for number in range(20))
        writer.write(b"GET /now HTTP/1.1\r\nHost: x\r\n" + headers)
        assert (await reader.readline()).startswith(b"HTTP/1.1 431")
