"""A TCP relay in front of a server: the network that is cut, frozen or slow between the product and its neighbour."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, Self

SLOW_SECONDS: Final = 0.2
_CHUNK_BYTES: Final = 64 * 1024


class Relay:
    """Relays every connection to a server on loopback until it is told to fail.

    Args:
        port: the server's port.
    """

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._flows = asyncio.Event()
        self._flows.set()
        self._delay_seconds = 0.0
        self._is_cut = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_exception: object) -> None:
        self._server.close()
        self._abort_all()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Reset every connection, and each new one."""
        self._is_cut = True
        self._abort_all()

    def freeze(self) -> None:
        """Pass nothing on, while connections stay open."""
        self._flows.clear()

    def slow(self) -> None:
        """Hold each chunk for `SLOW_SECONDS`."""
        self._delay_seconds = SLOW_SECONDS

    def heal(self) -> None:
        """Relay as at the start."""
        self._is_cut = False
        self._delay_seconds = 0.0
        self._flows.set()

    def _abort_all(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            writer.transport.abort()
            return
        self._start(self._pump(reader, upstream_writer))
        self._start(self._pump(upstream_reader, writer))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while chunk := await reader.read(_CHUNK_BYTES):
                await self._flows.wait()
                await asyncio.sleep(self._delay_seconds)
                writer.write(chunk)
                await writer.drain()
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
