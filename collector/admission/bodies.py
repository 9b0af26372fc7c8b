"""Reads the bodies of requests: each within a size and a time, and all of them within a bound of memory."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Final

from litestar.types import Receive

from collector.admission.addresses import Share
from collector.errors import RequestError, too_large
from warehouse.limits import MAX_BODY_BYTES

#: A phone on a bad network sends the largest body within this time; who trickles does not.
BODY_WITHIN_SECONDS: Final = 20.0
#: Bodies that one address may be sending at the same time.
MAX_BODIES_EACH: Final = 100
#: Memory of all bodies that are on their way in.
MAX_BYTES_AT_ONCE: Final = 64 * 1024**2


class Bodies:
    """Reads bodies.

    Args:
        most_each: that one address may be sending at the same time; 0 for no limit.
        within_seconds: from its first byte to its last.
        most_bytes: of all bodies that are being read.
    """

    def __init__(
        self,
        most_each: int = MAX_BODIES_EACH,
        within_seconds: float = BODY_WITHIN_SECONDS,
        most_bytes: int = MAX_BYTES_AT_ONCE,
    ) -> None:
        self._share = Share(most_each, "too_many_bodies", "too many requests of this address are being sent at once")
        self._within_seconds = within_seconds
        self._most_bytes = most_bytes
        self._bytes = 0

    async def read(self, receive: Receive, address: str, most: int = MAX_BODY_BYTES) -> bytes:
        """Return the body of a request.

        Args:
            receive: the request's.
            address: that it is counted against.
            most: bytes that it may have.

        Raises:
            RequestError: too large, too slow, one too many, or cut off by its sender.
        """
        with self._share.one_of(address):
            try:
                async with asyncio.timeout(self._within_seconds):
                    return await self._read(receive, most)
            except TimeoutError as error:
                message = f"the body did not come within {self._within_seconds:g} s"
                raise RequestError(HTTPStatus.REQUEST_TIMEOUT, "too_slow", message) from error

    async def _read(self, receive: Receive, most: int) -> bytes:
        chunks: list[bytes] = []
        size = 0
        try:
            while True:
                event = await receive()
                if event["type"] != "http.request":
                    raise RequestError(HTTPStatus.BAD_REQUEST, "cut_off", "the sender left before the body's end")
                chunk = event["body"]
                size += len(chunk)
                self._bytes += len(chunk)
                if size > most:
                    raise too_large(most)
                if self._bytes > self._most_bytes:
                    raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE, "busy", "too many bodies are on their way", 5)
                if not event.get("more_body"):
                    return b"".join((*chunks, chunk)) if chunks else chunk
                chunks.append(chunk)
        finally:
            self._bytes -= size
