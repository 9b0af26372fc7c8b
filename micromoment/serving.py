"""Servers and background tasks that run in the event loop of this process until a block of code ends."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import resource
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from litestar import Litestar

from warehouse.errors import ConfigurationError

_STARTED_WITHIN_SECONDS: Final = 15.0
#: The longest that open requests may take once the server stops.
_STOPPED_WITHIN_SECONDS: Final = 5.0

#: The longest that a connection may take to send its next request's headers: who sends none in this time is cut off.
_HEADERS_WITHIN_MS: Final = 15_000
#: Most bytes of a request's address and headers; also what is read of a connection at once.
_MAX_HEADER_BYTES: Final = 64 * 1024
#: Files that a process has open beside its connections.
_OTHER_OPEN_FILES: Final = 1024

_log = structlog.get_logger("micromoment.serving")


@asynccontextmanager
async def serve(app: Litestar, host: str, port: int, setting: str, connections: int = 1024) -> AsyncIterator[None]:
    """Serve a web application on Granian until the block ends.

    Args:
        app: the application.
        host, port: the address to listen on.
        setting: the key of the setting that names the port, for the error.
        connections: most that are open at the same time; further ones wait until one ends.

    Raises:
        ConfigurationError: the port is taken, or the address does not belong to this machine.
    """
    _allow_open_files(connections)
    require_free(host, port, setting)
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        # HTTP/2 comes from proxies, which speak HTTP/1.1 to what is behind them: one protocol less to attack.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADERS_WITHIN_MS, max_buffer_size=_MAX_HEADER_BYTES),
        websockets=False,
        log_enabled=False,
        backlog=1024,
        backpressure=connections,
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
    """Raise an error when no server can listen on an address; Granian itself would share a port that is taken.

    Args:
        host, port: the address.
        setting: the key of the setting that names the port, for the error.

    Raises:
        ConfigurationError: the port is taken, or the address does not belong to this machine.
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


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """Run a background task until the block ends.

    A task that fails cancels the block, which then raises the task's error: no part of a process dies unnoticed.

    Args:
        work: the coroutine to run; it is cancelled when the block ends.
        name: the name of the task in the log.
    """
    owner = asyncio.current_task()
    failure: list[BaseException] = []
    leaving = False

    def stop_owner(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not leaving and owner is not None:
            failure.append(error)
            _log.error("part_failed", part=name, error=repr(error))
            owner.cancel()

    task = asyncio.create_task(work, name=name)
    task.add_done_callback(stop_owner)
    try:
        yield
    except asyncio.CancelledError:
        if failure:
            raise failure[0] from None
        raise
    finally:
        leaving = True
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task


def _allow_open_files(connections: int) -> None:
    """Raise this process' own limit of open files, of which a connection is one, as far as the system lets it."""
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_OPEN_FILES
    reachable = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    if limit != resource.RLIM_INFINITY and limit < reachable:
        resource.setrlimit(resource.RLIMIT_NOFILE, (reachable, most))


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
