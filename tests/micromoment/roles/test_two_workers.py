"""Two workers in processes of their own, against one Redis and one ClickHouse server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from micromoment.configuration.settings import Settings
from tests.databases import Databases
from tests.micromoment.roles.installation import settings_in
from tests.micromoment.roles.redis import redis_server
from tests.trigger_worker.delivery.channels.mail_peer import MailPeer
from tests.trigger_worker.stored import event_row, store
from tests.waiting import until
from warehouse.connection import Warehouse
from warehouse.dsn import parse_dsn

#: `micromoment worker` with a lease that ends sooner.
_WORKER: Final = """
from micromoment.roles import ownership
from micromoment.roles.redis_lease import LeaseTimes
ownership.USUAL_TIMES = LeaseTimes(ends=3.0, trusted=2.0, renewed=0.5)
from micromoment.__main__ import main
main()
"""
_NAMES: Final = ("rules_folder", "templates_folder", "policy_file", "audiences_file", "suppressions_file")


class WorkerProcess:
    """A worker in a process of its own.

    Args:
        settings: its settings.
        folder: a folder of its own.
        redis, clickhouse: the addresses of what it shares with others.
        smtp_port: the port of the mail server.
    """

    def __init__(self, settings: Settings, folder: Path, redis: str, clickhouse: str, smtp_port: int) -> None:
        folder.mkdir()
        self._log = folder / "log"
        given = {name: getattr(settings, name) for name in _NAMES} | {
            "data_folder": folder / "var",
            "worker_port": settings_in(folder).worker_port,
            "redis": redis,
            "clickhouse": clickhouse,
            "smtp_host": "127.0.0.1",
            "smtp_port": smtp_port,
            "smtp_security": "none",
        }
        environment = {f"MICROMOMENT_{name.upper()}": str(value) for name, value in given.items()}
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _WORKER, "worker"],
                cwd=folder,
                env=os.environ | environment,
                stdout=log,
                stderr=log,
            )

    def signal(self, name: signal.Signals) -> None:
        self.process.send_signal(name)

    async def says(self, event: str, reason: str = "") -> dict[str, Any]:
        """Wait for an event of its log, for a reason if one is given, and return the last one."""
        await until(lambda: bool(self._lines(event, reason)))
        return self._lines(event, reason)[-1]

    def _lines(self, event: str, reason: str) -> list[dict[str, Any]]:
        assert self.process.poll() in (None, -signal.SIGKILL), self._log.read_text()
        whole, _, _ = self._log.read_text().rpartition("\n")
        lines = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event and reason in line.get("reason", "")]


@contextmanager
def ending(*workers: WorkerProcess) -> Iterator[None]:
    try:
        yield
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.wait()


def visit(warehouse: Warehouse, group: str) -> set[str]:
    """Store what some new visitors did just now, and return their addresses."""
    visitors = [f"{group}-{number}" for number in range(10)]
    now_ms = time.time_ns() // 1_000_000
    for visitor in visitors:
        traits = {"email": f"{visitor}@example.com"}
        store(warehouse, event_row("identify", visitor, now_ms, traits=traits), event_row("hover", visitor, now_ms))
    return {f"{visitor}@example.com" for visitor in visitors}


@pytest.mark.listener
async def test_one_of_two_workers_sends_the_other_takes_over_and_nothing_is_sent_twice(
    listener_databases: Databases, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path)
    (tmp_path / "rules" / "greets.yaml").write_text("id: greets\nwhen: hover\nevery: 0\nsend: [{email: hello}]\n")
    (tmp_path / "templates" / "hello.email.html").write_text("---\nsubject: Hello\n---\n<p>You</p>\n")
    with listener_databases.lent() as dsn, Warehouse(parse_dsn(dsn)) as warehouse, redis_server(tmp_path) as redis:
        redis.start()
        async with MailPeer() as peer:
            shared = (redis.url, dsn, peer.port)
            first = WorkerProcess(settings, tmp_path / "first", *shared)
            with ending(first):
                await first.says("lease_acquired")
                second = WorkerProcess(settings, tmp_path / "second", *shared)
                with ending(second):
                    await second.says("worker_waits_for_lease", f"process {first.process.pid} has it")
                    everybody = visit(warehouse, "before")
                    await until(lambda: set(peer.recipients) == everybody)

                    # An owner that stands still longer than its lease lasts sends nothing when it goes on.
                    first.signal(signal.SIGSTOP)
                    everybody |= visit(warehouse, "frozen")
                    await until(lambda: set(peer.recipients) == everybody)
                    taken_over = await second.says("lease_acquired")
                    first.signal(signal.SIGCONT)
                    await first.says("lease_lost")
                    await first.says("worker_waits_for_lease", f"process {second.process.pid} has it")
                    everybody |= visit(warehouse, "thawed")
                    await until(lambda: set(peer.recipients) == everybody)

                    second.signal(signal.SIGKILL)
                    everybody |= visit(warehouse, "killed")
                    await until(lambda: set(peer.recipients) == everybody)
                    assert (await first.says("lease_acquired"))["number"] > taken_over["number"]
                    await asyncio.sleep(1.0)  # whoever would send again does it now
    assert Counter(peer.recipients) == dict.fromkeys(everybody, 1)
