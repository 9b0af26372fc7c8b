"""Streams of open pages: answers that go on until their pages leave, and what is written to them."""

from __future__ import annotations

import asyncio
from typing import Final

from litestar.types import HTTPResponseStartEvent, Receive, Send

from collector.banners.banner import HEARTBEAT, OPENING

#: Blocks that wait for a page that does not read; of more, the oldest leaves.
MAX_QUEUED: Final = 32
#: Parts into which the time between two signs of life is cut. Streams are spread over them, so that thousands are not
#: written to at the same instant.
PARTS: Final = 128


class OpenStream:
    """A page's stream: blocks that are put into it are written as soon as the page takes them.

    Thousands are open, nearly all of them silent: each is one task, that of its request, which waits for the page to
    leave. There is another one only while something is being written.
    """

    __slots__ = ("_is_ended", "_is_writing", "_queue", "_send", "_task")

    def __init__(self) -> None:
        self._queue: list[bytes] = [OPENING]
        self._is_ended = False
        self._is_writing = False
        self._send: Send | None = None
        self._task: asyncio.Task[None] | None = None

    async def run(self, start: HTTPResponseStartEvent, receive: Receive, send: Send) -> None:
        """Answer a request with this stream, until the page leaves or `end` was called.

        Args:
            start: the status and headers of the answer.
            receive, send: those of the request.
        """
        await send(start)
        self._send, self._is_writing = send, True
        try:
            await self._write()
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            self._send = None
            if self._task is not None:
                self._task.cancel()

    def put(self, block: bytes) -> None:
        """Write a block; a page that reads nothing loses its oldest one, and gets it when it connects again."""
        if len(self._queue) >= MAX_QUEUED:
            del self._queue[0]
        self._queue.append(block)
        self._write_soon()

    def beat(self) -> None:
        """Write a sign of life, unless something waits to be written, which is one."""
        if not self._queue and not self._is_writing:
            self.put(HEARTBEAT)

    def end(self) -> None:
        """Write what waits, then end the stream."""
        self._is_ended = True
        self._write_soon()

    def _write_soon(self) -> None:
        if self._send is not None and not self._is_writing:
            self._is_writing = True
            self._task = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._queue and self._send is not None:
                blocks = b"".join(self._queue)
                self._queue.clear()
                await self._send({"type": "http.response.body", "body": blocks, "more_body": True})
            if self._is_ended and self._send is not None:
                send, self._send = self._send, None
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except OSError:
            self._send = None  # the page has left, of which `run` is about to hear
        finally:
            self._is_writing = False
            self._task = None


class Heartbeat:
    """A wheel of streams: at each turn of its one timer, the streams of the next part get a sign of life.

    The timer rests while no stream is open.

    Args:
        every_seconds: between two signs of life of a stream.
    """

    def __init__(self, every_seconds: float) -> None:
        self._turn_seconds = every_seconds / PARTS
        self._wheel: list[set[OpenStream]] = [set() for _ in range(PARTS)]
        self._parts: dict[OpenStream, int] = {}
        self._part = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, stream: OpenStream) -> None:
        """Give a stream signs of life from now on."""
        self._wheel[self._part].add(stream)
        self._parts[stream] = self._part
        if self._timer is None:
            self._wait()

    def remove(self, stream: OpenStream) -> None:
        """Give a stream no more signs of life."""
        self._wheel[self._parts.pop(stream)].discard(stream)

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._turn_seconds, self._turn)

    def _turn(self) -> None:
        self._timer = None
        self._part = (self._part + 1) % PARTS
        for stream in self._wheel[self._part]:
            stream.beat()
        if self._parts:
            self._wait()
