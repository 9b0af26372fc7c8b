"""From a 200 of the collector to the stored firing, under load: all of the product in one process, as `up` runs it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench.figures import percentile
from bench.load import send
from bench.shop import EVENTS_PER_VISITOR, SITE, write_rules
from e2e.ports import free_ports
from e2e.waiting import answers, wait_for
from micromoment.engine.client import EngineClient
from micromoment.engine.protocol import socket_path

STORED: Final = 1_000_000
RULES: Final = 100
#: Events a second, and for how many seconds.
LOADS: Final = ((50, 120), (1_000, 60))
SETTLE_SECONDS: Final = 5.0
STOPPED_WITHIN_SECONDS: Final = 30.0
WRITE_KEY: Final = "bench"

_BANNER: Final = "form: bar\nposition: top\ntitle: Measured\ntext: This banner answers.\n"
_FIRINGS: Final = """
SELECT JSONExtractString(event, 'event_id') AS event_id, min(toUnixTimestamp64Milli(fired_at)) AS fired_ms
FROM fires GROUP BY event_id
"""


def measure() -> list[str]:
    """Return how long firings take at each load."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (port,) = free_ports(1)
        _write_shop(folder, port)
        # Elsewhere: a process that has opened the embedded engine once may go on holding its folder.
        subprocess.run([sys.executable, "-m", "bench.shop", f"chdb://{folder}/clickhouse", str(STORED)], check=True)
        with _running(folder, port) as process:
            engine = EngineClient(socket_path(str(folder / "var")))
            lines = [_loaded(engine, port, process.pid, rate, seconds) for rate, seconds in LOADS]
            engine.close()
            return lines


def _write_shop(folder: Path, port: int) -> None:
    (folder / "templates").mkdir()
    (folder / "templates" / "bench.banner.yaml").write_text(_BANNER)
    write_rules(folder / "rules", RULES, "send:\n  - banner: bench\n")
    (folder / "micromoment.toml").write_text(
        f'clickhouse = "chdb://{folder}/clickhouse"\ncollector_port = {port}\n'
        # All of the load comes from one address.
        f'rate_per_second = 0\n[sites.{SITE}]\nwrite_key = "{WRITE_KEY}"\n'
    )


@contextmanager
def _running(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    log = (folder / "up.log").open("ab")
    process = subprocess.Popen([sys.executable, "-m", "micromoment", "up"], cwd=folder, stdout=log, stderr=log)
    try:
        url = f"http://localhost:{port}/healthz"
        wait_for(partial(answers, url), f"{url}; {(folder / 'up.log').read_text()}")
        yield process
    finally:
        process.terminate()
        process.wait(STOPPED_WITHIN_SECONDS)
        log.close()


def _loaded(engine: EngineClient, port: int, pid: int, rate: int, seconds: int) -> str:
    cpu_before, started = _cpu_seconds(pid), time.monotonic()
    acknowledged = asyncio.run(send(f"http://localhost:{port}", WRITE_KEY, STORED // EVENTS_PER_VISITOR, rate, seconds))
    cpu = (_cpu_seconds(pid) - cpu_before) / (time.monotonic() - started)
    time.sleep(SETTLE_SECONDS)
    fired = {row["event_id"]: int(row["fired_ms"]) for row in _rows(engine, _FIRINGS)}
    samples = [fired[event_id] - at_ms for event_id, at_ms in acknowledged.items() if event_id in fired]
    figures = ", ".join(f"p{share * 100:g} {percentile(samples, share):.0f} ms" for share in (0.5, 0.95, 0.99))
    line = (
        f"live, {rate} events/s for {seconds} s, {RULES} rules, {STORED} stored: acknowledged -> firing stored"
        f" {figures} ({len(samples)} firings); the product used {cpu:.2f} cores"
    )
    print(line, file=sys.stderr)
    return line


def _rows(engine: EngineClient, sql: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in engine.export(sql, "JSONEachRow").splitlines()]


def _cpu_seconds(pid: int) -> float:
    """Return how many seconds a process spent on processors (proc(5): utime and stime, in ticks)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    print("\n".join(measure()))
