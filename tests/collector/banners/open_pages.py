"""Pages that listen to a stream, as a server passes on what is written to them."""

from __future__ import annotations

import asyncio
import re

from litestar.types import HTTPReceiveMessage, HTTPResponseStartEvent, Message

from collector.banners.open_stream import OpenStream
from tests.waiting import until

START: HTTPResponseStartEvent = {"type": "http.response.start", "status": 200, "headers": []}


class OpenPage:
    """A page that listens until it leaves or its stream ends, and reads unless it is told not to."""

    def __init__(self, stream: OpenStream) -> None:
        self.text = b""
        self.writes = 0
        self.is_ended = False
        self.reads = asyncio.Event()
        self.reads.set()
        self._leaves = asyncio.Event()
        self._told = False
        self.task = asyncio.create_task(stream.run(START, self._receive, self._send))

    @property
    def names(self) -> list[str]:
        """The ids of the banners that came, in the order in which they came."""
        return [name.decode() for name in re.findall(rb"^id: (.*)\r$", self.text, re.MULTILINE)]

    @property
    def heartbeats(self) -> int:
        """How many signs of life came."""
        return self.text.count(b": heartbeat")

    async def has(self, *names: str) -> bool:
        """Wait until as many banners came as are named, and tell whether they are these."""
        await until(lambda: len(self.names) >= len(names))
        return self.names == list(names)

    async def leave(self) -> None:
        """Disconnect, and wait until the stream has heard of it."""
        self._leaves.set()
        await self.task

    async def _receive(self) -> HTTPReceiveMessage:
        if not self._told:
            self._told = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._leaves.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] != "http.response.body":
            return
        await self.reads.wait()
        self.writes += 1
        self.text += message["body"]
        if not message["more_body"]:
            self.is_ended = True
            self._leaves.set()


async def quiet() -> None:
    """Let everything happen that waits for nothing but its turn."""
    for _ in range(10):
        await asyncio.sleep(0)
