"""An installation whose parts and neighbours can be killed, frozen, filled, slowed and set to a wrong clock."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import httpx
from aiosmtpd.smtp import SMTP, Envelope, Session

from e2e.ports import free_ports
from e2e.redis import RedisServer
from micromoment.engine.client import EngineClient
from micromoment.engine.protocol import socket_path
from tests.chaos.relay import Relay
from tests.trigger_worker.delivery.channels.mail_peer import MailPeer
from warehouse.connection import connect

#: One process with the embedded engine; or a collector, two workers, Redis and a ClickHouse server.
Layout = Literal["together", "apart"]
WRITE_KEY: Final = "shop-key"
#: The longest that a part may take to answer after it was started.
_STARTED_WITHIN_SECONDS: Final = 90.0
#: `micromoment` with a clock that is wrong by the milliseconds given first, and with a lease that ends sooner.
_PROGRAM: Final = """
import sys, time
right, wrong_ns = time.time_ns, int(sys.argv.pop(1)) * 1_000_000
time.time_ns = lambda: right() + wrong_ns
from micromoment.roles import ownership
from micromoment.roles.redis_lease import LeaseTimes
ownership.USUAL_TIMES = LeaseTimes(ends=3.0, trusted=2.0, renewed=0.5)
from micromoment.__main__ import main
main()
"""
_RULES: Final = {
    "greets.yaml": "id: greets\nwhen: add_to_cart\nevery: 0\nsend: [{email: hello}]\n",
    "receipt.yaml": "id: receipt\nclass: transactional\nwhen: purchase\nevery: 0\nttl: 1h\nsend: [{email: receipt}]\n",
}
_TEMPLATES: Final = {
    "hello.email.html": "---\nsubject: Hello\n---\n<p>You</p>\n",
    "receipt.email.html": "---\nsubject: Receipt\n---\n<p>Thank you</p>\n",
}
#: No file of a table is so short: with more room ClickHouse once ended a merge whose small files were whole
#: and whose large one was not.
_FILE_BYTES_WHEN_FULL: Final = 64


class Part:
    """One process of the product, started again on the same folder and port.

    Args:
        name: its name in reports and of its log.
        role: the command that it runs.
        folder: the installation's folder.
        port: where it answers `/healthz`.
        environment: its settings, as variables.
    """

    def __init__(self, name: str, role: str, folder: Path, port: int, environment: dict[str, str]) -> None:
        self.name: Final = name
        self.log: Final = folder / f"{name}.log"
        self._role = role
        self._folder = folder
        self._port = port
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        #: How long each start took until the part answered, in seconds.
        self.starts: list[float] = []

    def launch(self, wrong_ms: int = 0) -> None:
        """Start the process.

        Args:
            wrong_ms: how far its clock is ahead, ms.
        """
        command = [sys.executable, "-c", _PROGRAM, str(wrong_ms), self._role, "--config", "micromoment.toml"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, env=self._environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def kill(self) -> None:
        """End the process as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Stop the process where it is."""
        self._signal(signal.SIGSTOP)

    def fill(self) -> None:
        """Let every write fail that makes a file longer than a line, as on a full disk."""
        self._limit_files(_FILE_BYTES_WHEN_FULL)

    async def recover(self) -> None:
        """Undo what was done to the process, start it if it ended, and wait until it answers."""
        if not self.is_running:
            self.launch()
        self._limit_files(resource.RLIM_INFINITY)
        self._signal(signal.SIGCONT)
        await self.until_up()

    async def start_again(self, wrong_ms: int = 0) -> None:
        """Kill the process, start it with a clock that is ahead (ms), and wait until it answers."""
        self.kill()
        self.launch(wrong_ms)
        await self.until_up()

    async def until_up(self) -> None:
        """Wait until the part answers, and note how long it took.

        Raises:
            AssertionError: it does not answer.
        """
        started = time.monotonic()
        async with httpx.AsyncClient(timeout=2) as client:
            while not await self._answers(client):
                words = self.log.read_text(errors="replace")[-2000:]
                assert time.monotonic() - started < _STARTED_WITHIN_SECONDS, f"{self.name} does not answer: {words}"
                await asyncio.sleep(0.05)
        self.starts.append(time.monotonic() - started)

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self._process is not None and self._process.poll() is None

    def memory_bytes(self) -> int:
        """Return the resident memory of the process, 0 when there is none."""
        if not self.is_running or self._process is None:
            return 0
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize()

    async def _answers(self, client: httpx.AsyncClient) -> bool:
        assert self.is_running, f"{self.name} ended by itself: {self.log.read_text(errors='replace')[-2000:]}"
        try:
            return (await client.get(f"http://127.0.0.1:{self._port}/healthz")).is_success
        except httpx.HTTPError:
            return False

    def _signal(self, name: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(name)

    def _limit_files(self, most_bytes: int) -> None:
        if self._process is not None:
            _, hard = resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (most_bytes, hard))


class DatedMailPeer(MailPeer):
    """A mail server that notes when it took each mail, so that one that came twice can be looked up in the logs."""

    def __init__(self) -> None:
        super().__init__()
        #: By subject and address, when the mails were taken.
        self.taken_at: dict[tuple[str, str], list[datetime]] = defaultdict(list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as aiosmtpd calls it
        taken = len(self.received)
        reply = await super().handle_DATA(server, session, envelope)
        for mail in self.received[taken:]:
            self.taken_at[str(mail["subject"]), str(mail["to"])].append(datetime.now(UTC))
        return reply


class Installation:
    """The product's processes and what they need.

    Args:
        folder: where it runs.
        layout: in one process or in several.
        collector_url: where events are sent.
        parts: the processes by name.
        mail: the mail server.
        mail_relay: the network between the product and the mail server.
        clickhouse_relay: the network between the product and a ClickHouse server; None when it is embedded.
        redis: the bus; None in one process.
        clickhouse: the address of the ClickHouse server without the relay; empty when it is embedded.
    """

    def __init__(
        self,
        folder: Path,
        *,
        layout: Layout,
        collector_url: str,
        parts: Iterable[Part],
        mail: DatedMailPeer,
        mail_relay: Relay,
        clickhouse_relay: Relay | None = None,
        redis: RedisServer | None = None,
        clickhouse: str = "",
    ) -> None:
        self.folder: Final = folder
        self.layout: Final = layout
        self.collector_url: Final = collector_url
        self.parts: Final = {part.name: part for part in parts}
        self.mail: Final = mail
        self.mail_relay: Final = mail_relay
        self.clickhouse_relay: Final = clickhouse_relay
        self.redis: Final = redis
        self._clickhouse = clickhouse

    async def start(self) -> None:
        """Start every part, and wait until each answers."""
        for part in self.parts.values():
            part.launch()
        for part in self.parts.values():
            await part.until_up()

    async def ask(self, query: str) -> list[dict[str, Any]]:
        """Return the rows of a query, asked beside the product's own connections."""
        answer = await asyncio.to_thread(self._export, query)
        return [json.loads(line) for line in answer.splitlines()]

    def _export(self, query: str) -> bytes:
        if not self._clickhouse:
            return EngineClient(socket_path(str(self.folder / "up-data"))).export(query, "JSONEachRow")
        with connect(self._clickhouse) as warehouse:
            return warehouse.export(query, "JSONEachRow")


@asynccontextmanager
async def running_installation(folder: Path, layout: Layout, clickhouse: str = "") -> AsyncIterator[Installation]:
    """Run an installation until the block ends.

    Args:
        folder: an empty folder.
        layout: in one process or in several.
        clickhouse: the address of a database on a ClickHouse server, for several processes.
    """
    async with AsyncExitStack() as cleanup:
        mail = await cleanup.enter_async_context(DatedMailPeer())
        mail_relay = await cleanup.enter_async_context(Relay(mail.port))
        write_files(folder)
        (port,) = free_ports(1)
        shared = _usual(folder, port, mail_relay.port)
        if layout == "together":
            redis, relay, parts = None, None, [_part("up", "up", folder, port, shared)]
        else:
            relay = await cleanup.enter_async_context(Relay(_port_of(clickhouse)))
            redis = RedisServer(folder)
            cleanup.callback(redis.kill)
            await asyncio.to_thread(redis.start)
            through = clickhouse.replace(f":{_port_of(clickhouse)}", f":{relay.port}")
            parts = _separate(
                folder, port, shared | {"MICROMOMENT_CLICKHOUSE": through, "MICROMOMENT_REDIS": redis.url}
            )
        installation = Installation(
            folder,
            layout=layout,
            collector_url=f"http://127.0.0.1:{port}",
            parts=parts,
            mail=mail,
            mail_relay=mail_relay,
            clickhouse_relay=relay,
            redis=redis,
            clickhouse=clickhouse,
        )
        for part in parts:
            cleanup.callback(part.kill)
        await installation.start()
        yield installation


def embedded_dsn(data: Path) -> str:
    """Return the address of the embedded database in a data folder."""
    return f"chdb://{data}/clickhouse"


def write_files(folder: Path) -> None:
    """Write the rules, the templates and the configuration file of an installation."""
    for name, texts in (("rules", _RULES), ("templates", _TEMPLATES)):
        (folder / name).mkdir()
        for file, text in texts.items():
            (folder / name / file).write_text(text)
    (folder / "micromoment.toml").write_text(
        f'''
[sites.shop]
write_key = "{WRITE_KEY}"
url = "https://shop.example"
confirmed_addresses = "off"
'''
    )


def _usual(folder: Path, port: int, smtp_port: int) -> dict[str, str]:
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("MICROMOMENT_")}
    return inherited | {
        "MICROMOMENT_RULES_FOLDER": str(folder / "rules"),
        "MICROMOMENT_TEMPLATES_FOLDER": str(folder / "templates"),
        "MICROMOMENT_COLLECTOR_PORT": str(port),
        "MICROMOMENT_RATE_PER_SECOND": "0",
        "MICROMOMENT_SECRET": "a secret that all parts of an installation share",
        "MICROMOMENT_SMTP_HOST": "127.0.0.1",
        "MICROMOMENT_SMTP_PORT": str(smtp_port),
        "MICROMOMENT_SMTP_SECURITY": "none",
        "MICROMOMENT_SMTP_SENDER": "Shop <shop@shop.example>",
        "PYTHONUNBUFFERED": "1",
    }


def _part(name: str, role: str, folder: Path, port: int, environment: dict[str, str]) -> Part:
    data = folder / f"{name}-data"
    (operations_port,) = free_ports(1)
    own = {"MICROMOMENT_DATA_FOLDER": str(data), "MICROMOMENT_OPERATIONS_PORT": str(operations_port)}
    if role == "up":
        own["MICROMOMENT_CLICKHOUSE"] = embedded_dsn(data)
    return Part(name, role, folder, port, environment | own)


def _separate(folder: Path, port: int, environment: dict[str, str]) -> list[Part]:
    """Return a collector and two workers, each with a port and a folder of its own."""
    workers = {f"worker-{number}": port for number, port in enumerate(free_ports(2), 1)}
    return [
        _part("collector", "collector", folder, port, environment),
        *(
            _part(name, "worker", folder, own, environment | {"MICROMOMENT_WORKER_PORT": str(own)})
            for name, own in workers.items()
        ),
    ]


def _port_of(dsn: str) -> int:
    port = httpx.URL(dsn.replace("clickhouse://", "http://")).port
    assert port is not None
    return port
