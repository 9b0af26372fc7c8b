from __future__ import annotations

import asyncio

from collector.banners.heartbeat import Heartbeat
from collector.banners.open_stream import OpenStream
from tests.collector.banners.open_pages import OpenPage
from tests.waiting import until


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
