"""Gives every open stream a sign of life now and then, by one timer for all of them."""

from __future__ import annotations

import asyncio
from typing import Final

from collector.banners.open_stream import OpenStream

#: Parts into which the time between two signs of life is cut. Streams are spread over them, so that thousands are not
#: written to at the same instant.
PARTS: Final = 128


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
