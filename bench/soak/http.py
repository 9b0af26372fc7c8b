"""The least of HTTP that a load needs: requests as bytes, answers read to their end."""

from __future__ import annotations

import asyncio
from typing import Final

HOST: Final = "127.0.0.1"
_WITHIN_SECONDS: Final = 60.0


def post(path: str, body: bytes, *headers: bytes) -> bytes:
    """Return a POST request."""
    head = [b"POST %s HTTP/1.1" % path.encode(), b"Host: soak", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join([*head, b"", body])


def get(path: str, *headers: bytes) -> bytes:
    """Return a GET request."""
    return b"\r\n".join([b"GET %s HTTP/1.1" % path.encode(), b"Host: soak", *headers, b"", b""])


def listen_with(token: str) -> bytes:
    """Return the request that opens a stream."""
    return get("/v1/stream", b"Authorization: Bearer " + token.encode())


class Connection:
    """A connection to the collector from an address of this machine.

    Args:
        port: the collector's.
        address: where it comes from, such as `127.0.0.2`.
    """

    def __init__(self, port: int, address: str) -> None:
        self._port = port
        self._address = address
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request, and return the status and the body of its answer."""
        async with asyncio.timeout(_WITHIN_SECONDS):
            reader, writer = self._streams = self._streams or await self._open()
            writer.write(request)
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
                body = await reader.readexactly(length)
            except (asyncio.IncompleteReadError, OSError):
                self.close()
                raise
        status = int(head.split(b" ", 2)[1])
        if status >= 400:
            self.close()  # the server may not have read the body to its end
        return status, body

    async def listen(self, token: str) -> asyncio.StreamReader:
        """Open a stream, and return where its blocks come, of which the first has been read."""
        async with asyncio.timeout(_WITHIN_SECONDS):
            reader, writer = self._streams = await self._open()
            writer.write(listen_with(token))
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head.split(b"\r\n")[0]:
                raise ConnectionError(head.split(b"\r\n")[0].decode())
            await reader.readuntil(b"\n\n" if b": open\n" in head else b": open")
        return reader

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(HOST, self._port, local_addr=(self._address, 0))
