"""A real ClickHouse, listening on ports of its own, for as long as a block runs.

Taken from the first of these that is there:

1. `MICROMOMENT_TEST_CLICKHOUSE`, a data source name, used as it is;
2. a `clickhouse` binary on PATH;
3. the engine as a library, which `npm ci` puts beside this file (see `tests.listener.library`).
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from tests.listener import server_files
from tests.scratch import scratch_folder

VARIABLE: Final = "MICROMOMENT_TEST_CLICKHOUSE"
LIBRARY: Final = Path(__file__).parent / "node_modules" / "@chdb" / "lib-linux-x64-gnu" / "libchdb.so"
_HOST: Final = "127.0.0.1"
_READY_WITHIN_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.05


@dataclass(frozen=True)
class Ports:
    """Where the listener listens: HTTP, and ClickHouse's own protocol."""

    http: int
    tcp: int


@contextmanager
def running_listener() -> Iterator[str]:
    """Run a ClickHouse listener, and yield its data source name, which names no database.

    Raises:
        RuntimeError: there is no ClickHouse to run, or it did not start; the message has its last words.
    """
    given = os.environ.get(VARIABLE)
    if given:
        yield given
        return
    with scratch_folder() as folder:
        ports = _free_ports()
        with _process(_command(folder, ports), folder) as process:
            _wait_until_ready(process, ports.http, folder)
            yield f"clickhouse://{_HOST}:{ports.http}"


def _command(folder: Path, ports: Ports) -> list[str]:
    binary = shutil.which("clickhouse")
    if binary:
        return [binary, "server", f"--config-file={server_files.write(folder, ports.http, ports.tcp)}"]
    if not LIBRARY.exists():
        raise RuntimeError(
            f"no ClickHouse for the tests: set {VARIABLE}, put `clickhouse` on PATH,"
            f" or run `npm ci` in {LIBRARY.parents[3]}"
        )
    arguments = [str(LIBRARY), str(folder), str(ports.http), str(ports.tcp)]
    return [sys.executable, "-m", "tests.listener.library", *arguments]


@contextmanager
def _process(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "output.log").open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield process
    finally:
        # Its data goes with its folder, so there is nothing to end in order.
        process.kill()
        process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN_SECONDS
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            words = (folder / "output.log").read_text(encoding="utf-8", errors="replace")[-2000:]
            raise RuntimeError(f"the ClickHouse listener did not start (status {process.returncode}): {words}")
        time.sleep(_POLL_SECONDS)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://{_HOST}:{port}/ping", timeout=2).is_success
    except httpx.TransportError:
        return False


def _free_ports() -> Ports:
    # Both are held at once, so that they differ.
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for each in sockets:
            each.bind((_HOST, 0))
        return Ports(*(each.getsockname()[1] for each in sockets))
