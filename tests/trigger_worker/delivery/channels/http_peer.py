"""An HTTP server in the test's own event loop, which answers exactly what it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Request:
    """One request as it came over the wire."""

    line: str
    headers: dict[str, str]
    body: bytes


class HttpPeer:
    """Keeps the requests, and answers each with the next of `answers`: raw bytes of HTTP.

    An empty answer resets the connection; None leaves the request without one.

    Args:
        usually: answers when nothing else is said.
    """

    def __init__(self, usually: Callable[[Request], bytes] | None = None) -> None:
        self._usually = usually or (lambda _request: ok())
        self.requests: list[Request] = []
        self.answers: list[bytes | None] = []
        self.connections = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/hook"
        return self

    async def __aexit__(self, *_exception: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        while request := await _read(reader):
            self.requests.append(request)
            answer = self.answers.pop(0) if self.answers else self._usually(request)
            if answer is None:
                continue
            if not answer:
                writer.transport.abort()
                return
            writer.write(answer)
        writer.close()


def ok(body: bytes = b"{}") -> bytes:
    return answer("200 OK", body=body)


def answer(status: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    line, *fields = head.strip().split("\r\n")
    headers = {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(line, headers, body)
