"""Runs ASGI applications on Granian inside this process's event loop."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from granian.constants import Interfaces
from granian.server.embed import Server
from litestar import Litestar

from warehouse.errors import ConfigurationError

_STARTED_WITHIN_SECONDS = 15.0
#: How long requests that are under way may take once the server stops.
_STOPPED_WITHIN_SECONDS = 5.0


@asynccontextmanager
async def serve(app: Litestar, host: str, port: int, setting: str) -> AsyncIterator[None]:
    """Serve an application until the block ends.

    Args:
        app: what to serve.
        host, port: where to listen.
        setting: the key that says so, for the error.

    Raises:
        ConfigurationError: the port cannot be had.
    """
    require_free(host, port, setting)
    server = Server(
        app, address=host, port=port, interface=Interfaces.ASGI, websockets=False, log_enabled=False, backlog=1024
    )
    running = asyncio.create_task(server.serve(), name=f"serve {port}")
    try:
        await _until_listening(running, host, port)
        yield
    finally:
        server.stop()  # type: ignore[no-untyped-call]  # Granian's embedding API is untyped
        _, unfinished = await asyncio.wait([running], timeout=_STOPPED_WITHIN_SECONDS)
        for task in unfinished:
            task.cancel()


def require_free(host: str, port: int, setting: str) -> None:
    """Raise a clear error when nothing can listen there.

    Raises:
        ConfigurationError: the port is taken, or the address is not this machine's.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            variable = f"MICROMOMENT_{setting.upper()}"
            raise ConfigurationError(
                f"{setting}: {host}:{port} {'is in use' if taken else f'cannot be listened on: {error.strerror}'}",
                f"stop what uses it, or set another with {variable}",
            ) from error


async def _until_listening(running: asyncio.Task[None], host: str, port: int) -> None:
    async with asyncio.timeout(_STARTED_WITHIN_SECONDS):
        while not running.done():
            try:
                _, writer = await asyncio.open_connection(host, port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
        await running
