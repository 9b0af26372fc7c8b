"""How roles reach Redis: with a bound on every wait, so that a Redis that is gone or frozen holds up nobody."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from warehouse.errors import ConfigurationError

#: Most seconds that a connection may take, and the answer to one command.
ANSWERS_WITHIN_SECONDS: Final = 1.0
#: Most seconds that a connection and its first commands may take together.
DONE_WITHIN_SECONDS: Final = 3.0
FIRST_WAIT_SECONDS: Final = 0.1
LONGEST_WAIT_SECONDS: Final = 5.0
#: The errors of a Redis that is gone, frozen, loading, full, or forbids what is asked.
TROUBLE: Final = (RedisError, OSError)
REMEDY: Final = "start Redis, or correct `redis` (MICROMOMENT_REDIS); the process goes on, and connects by itself"


class Backoff:
    """The waits between attempts to reach Redis: doubling up to a bound."""

    def __init__(self) -> None:
        self._seconds = FIRST_WAIT_SECONDS

    def reset(self) -> None:
        """Begin again with the shortest wait, because an attempt succeeded."""
        self._seconds = FIRST_WAIT_SECONDS

    async def wait(self) -> None:
        """Wait, longer each time."""
        await asyncio.sleep(self._seconds)
        self._seconds = min(2 * self._seconds, LONGEST_WAIT_SECONDS)


def redis_client(url: str) -> Redis:
    """Return a client of Redis that has not connected yet.

    Args:
        url: the address, such as `redis://127.0.0.1:6379/0`.

    Raises:
        ConfigurationError: the address has a wrong form.
    """
    try:
        client = Redis.from_url(
            url,
            socket_timeout=ANSWERS_WITHIN_SECONDS,
            socket_connect_timeout=ANSWERS_WITHIN_SECONDS,
            # Whoever asks knows what to do without Redis, and when to ask again.
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
        # Options of the address that do not exist show up here only.
        new_connection(client)
    except (ValueError, TypeError) as error:
        # The library's words would repeat parts of the address, and with them of a password.
        raise ConfigurationError(
            "redis: the address has a wrong form", "write `redis` (MICROMOMENT_REDIS) as redis://host:6379/0"
        ) from error
    return client


def new_connection(client: Redis) -> AbstractConnection:
    """Return a connection that is nobody else's and not connected yet."""
    connection: AbstractConnection = client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
    return connection


@asynccontextmanager
async def asking() -> AsyncIterator[None]:
    """Bound the time in which Redis is asked something in the block.

    A task that is cancelled meanwhile ends, too: redis-py writes by `asyncio.wait_for`, which now and then swallows a
    cancellation before Python 3.12.

    Raises:
        TimeoutError: it takes too long.
    """
    task = asyncio.current_task()
    cancellations = task.cancelling() if task is not None else 0
    try:
        async with asyncio.timeout(DONE_WITHIN_SECONDS):
            yield
    finally:
        if task is not None and task.cancelling() > cancellations:
            raise asyncio.CancelledError


async def is_refused(client: Redis) -> bool:
    """Tell whether the machine of Redis answers, and says at each of its addresses that no Redis is there.

    A timeout or a name that is not found is no such answer: Redis may be there for others.
    """
    at = client.connection_pool.connection_kwargs
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
            if path := at.get("path"):
                return await _refuses(asyncio.open_unix_connection(path))
            host, port = at.get("host", "localhost"), at.get("port", 6379)
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
            return all([await _refuses(asyncio.open_connection(*address[:2])) for *_, address in found])
    except OSError:
        return False


async def _refuses(connecting: Coroutine[Any, Any, tuple[asyncio.StreamReader, asyncio.StreamWriter]]) -> bool:
    try:
        _, writer = await connecting
    except (ConnectionRefusedError, FileNotFoundError):
        return True
    writer.close()
    return False
