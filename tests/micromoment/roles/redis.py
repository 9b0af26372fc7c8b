"""What tests of the parts that use Redis have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from e2e.redis import RedisServer


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """A Redis server that has not started yet, and that tests may kill and freeze."""
    server = RedisServer(folder)
    try:
        yield server
    finally:
        server.kill()
