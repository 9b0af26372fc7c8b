from __future__ import annotations

import asyncio

from litestar.types import HTTPReceiveMessage, Message

from collector.banners.banner import HEARTBEAT, OPENING
from collector.banners.open_stream import MAX_QUEUED, Heartbeat, OpenStream
from tests.collector.banners.open_pages import START, OpenPage, quiet
from tests.waiting import until


def block(name: str) -> bytes:
    return f"id: {name}\r\n\r\n".encode()


async def test_what_is_put_before_and_after_the_answer_began_is_written_in_order() -> None:
    stream = OpenStream()
    stream.put(block("before"))
    page = OpenPage(stream)
    await quiet()
    stream.put(block("after"))
    stream.put(block("last"))
    await quiet()
    assert page.text == OPENING + block("before") + block("after") + block("last")
    assert page.writes == 2


async def test_a_page_that_reads_nothing_loses_its_oldest_and_is_not_waited_for() -> None:
    stream = OpenStream()
    page = OpenPage(stream)
    page.reads.clear()
    await quiet()
    for number in range(MAX_QUEUED + 2):
        stream.put(block(f"m{number}"))
    page.reads.set()
    await quiet()
    assert page.names == [f"m{number}" for number in range(2, MAX_QUEUED + 2)]


async def test_a_sign_of_life_is_written_only_when_nothing_else_is() -> None:
    stream = OpenStream()
    stream.beat()
    page = OpenPage(stream)
    await quiet()
    stream.beat()
    await quiet()
    assert page.text == OPENING + HEARTBEAT
    page.reads.clear()
    stream.put(block("m"))
    await quiet()
    stream.beat()
    stream.beat()
    page.reads.set()
    await quiet()
    assert page.text == OPENING + HEARTBEAT + block("m")


async def test_a_stream_that_ends_writes_what_waits_and_then_nothing_more() -> None:
    stream = OpenStream()
    page = OpenPage(stream)
    await quiet()
    stream.put(block("last"))
    stream.end()
    await page.task
    stream.put(block("too late"))
    stream.beat()
    await quiet()
    assert page.is_ended
    assert page.text == OPENING + block("last")


async def test_a_stream_that_ended_before_the_answer_began_ends_at_once() -> None:
    stream = OpenStream()
    stream.end()
    page = OpenPage(stream)
    await page.task
    assert (page.text, page.is_ended) == (OPENING, True)


async def test_a_page_that_leaves_while_it_is_written_to_ends_its_stream() -> None:
    stream = OpenStream()
    page = OpenPage(stream)
    await quiet()
    page.reads.clear()
    stream.put(block("m"))
    await quiet()
    await page.leave()
    stream.put(block("n"))
    await quiet()
    assert page.names == []


async def test_a_server_that_tells_of_a_lost_connection_by_an_error_is_heard() -> None:
    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            raise ConnectionResetError

    async def receive() -> HTTPReceiveMessage:
        return {"type": "http.disconnect"}

    await OpenStream().run(START, receive, send)


async def test_every_stream_gets_signs_of_life_until_it_is_removed() -> None:
    heartbeat, streams = Heartbeat(0.05), [OpenStream() for _ in range(3)]
    pages = [OpenPage(stream) for stream in streams]
    for stream in streams:
        heartbeat.add(stream)
    await until(lambda: all(page.heartbeats >= 2 for page in pages))
    for stream in streams:
        heartbeat.remove(stream)
    heard = [page.heartbeats for page in pages]
    heartbeat.add(last := OpenStream())
    last_page = OpenPage(last)
    await until(lambda: last_page.heartbeats >= 2)
    assert [page.heartbeats for page in pages] == heard


async def test_one_timer_serves_all_streams_and_rests_without_any() -> None:
    heartbeat, loop = Heartbeat(60), asyncio.get_running_loop()
    timers = len(loop._scheduled)  # type: ignore[attr-defined]
    streams = [OpenStream() for _ in range(1_000)]
    for stream in streams:
        heartbeat.add(stream)
    assert len(loop._scheduled) - timers == 1  # type: ignore[attr-defined]
