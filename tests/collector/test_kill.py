"""The process is killed, again and again, while events pour in: what was acknowledged is stored, once."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.waiting import until, until_told

EVENTS = 5_000
EVENTS_EACH = 20
SENDERS = 16
#: After how many acknowledged batches each kill comes.
KILLS = (20, 100)
#: The feed's rows never merge, so that a second copy of an event would be seen there.
STORED = """
SELECT (SELECT uniqExact(event_id) FROM events),
       (SELECT count() FROM events FINAL),
       (SELECT uniqExact(event_id) FROM event_feed),
       (SELECT count() FROM event_feed),
       (SELECT sum(stored) FROM (SELECT uniqMerge(events) AS stored FROM visitor_daily GROUP BY visitor_id))
"""


class Service:
    """`micromoment up` in a process of its own, on a port and a folder that stay the same."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{_free_port()}"
        self.operations_url = f"http://127.0.0.1:{_free_port()}"
        (folder / "rules").mkdir()
        (folder / "micromoment.toml").write_text(
            f"""
            clickhouse = "chdb://{folder}/clickhouse"
            data_folder = "{folder}/var"
            rules_folder = "{folder}/rules"
            collector_port = {self.url.rpartition(":")[2]}
            operations_port = {self.operations_url.rpartition(":")[2]}
            rate_per_second = 0
            [sites.shop]
            write_key = "shop-key"
            """
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """This process's, without settings that would win over the file's."""
        return {name: text for name, text in os.environ.items() if not name.startswith("MICROMOMENT_")}

    async def start(self) -> None:
        """Start, and wait until it takes events."""
        self._launch()
        async with httpx.AsyncClient() as client:
            await until_told(partial(self._is_up, client))

    def _launch(self) -> None:
        with (self.folder / "output.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command("up"), cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def sql(self, query: str) -> list[list[Any]]:
        """Ask the running process's ClickHouse."""
        command = [*self._command("sql"), query, "--format", "JSONCompactEachRow"]
        answer = subprocess.run(command, cwd=self.folder, env=self.environment, check=True, capture_output=True)
        return [json.loads(line) for line in answer.stdout.splitlines()]

    def _command(self, name: str) -> list[str]:
        return [sys.executable, "-m", "micromoment", name, "--config", str(self.folder / "micromoment.toml")]

    async def _is_up(self, client: httpx.AsyncClient) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "output.log").read_text()[-2000:]
        return await self.is_ready(client)

    async def is_ready(self, client: httpx.AsyncClient) -> bool:
        """Tell whether it takes events."""
        try:
            return (await client.get(f"{self.url}/readyz", timeout=2)).is_success
        except httpx.TransportError:
            return False


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    yield service
    service.kill()


class Burst:
    """Sends every batch until it is acknowledged, from many senders at once, as SDKs do."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._batches = iter(range(EVENTS // EVENTS_EACH))
        self.acknowledged = 0
        self.sent_again = 0

    async def run(self) -> None:
        """Send everything, killing and starting the service on the way."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._kill_on_the_way())
            for _ in range(SENDERS):
                tasks.create_task(self._send_batches())

    async def _send_batches(self) -> None:
        async with httpx.AsyncClient(timeout=10) as client:
            for number in self._batches:
                while not await self._send(client, number):
                    self.sent_again += 1
                    await until_told(partial(self._service.is_ready, client))
                self.acknowledged += 1

    async def _send(self, client: httpx.AsyncClient, number: int) -> bool:
        messages = [
            {
                "type": "track",
                "event": "view_item",
                "messageId": f"{number}-{index}",
                "anonymousId": f"cookie-{number}",
                "timestamp": "2026-11-22T12:00:00.000Z",
            }
            for index in range(EVENTS_EACH)
        ]
        try:
            body = {"writeKey": "shop-key", "batch": messages}
            reply = await client.post(f"{self._service.url}/v1/batch", json=body)
        except httpx.TransportError:
            return False
        return reply.status_code == httpx.codes.OK

    def _has_sent(self, batches: int) -> bool:
        return self.acknowledged >= batches

    async def _kill_on_the_way(self) -> None:
        for threshold in KILLS:
            await until(partial(self._has_sent, threshold))
            self._service.kill()
            await self._service.start()


async def test_every_acknowledged_event_is_stored_once_however_often_the_process_is_killed(service: Service) -> None:
    await service.start()
    burst = Burst(service)
    await burst.run()
    assert burst.sent_again, "no kill hit the burst"
    await _drained(service)
    assert service.sql(STORED) == [[EVENTS] * 5]


async def test_an_order_is_one_though_the_process_is_killed_between_its_tellings(service: Service) -> None:
    (service.folder / "rules" / "bought.yaml").write_text("id: bought\nwhen: purchase\nevery: 0s\n")
    reasons = []
    for message_id in ("m1", "m2", "m3"):
        await service.start()
        telling = {
            "writeKey": "shop-key",
            "messageId": message_id,
            "anonymousId": "cookie",
            "event": "purchase",
            "properties": {"order_id": "#1001", "value": 80, "currency": "eur"},
        }
        async with httpx.AsyncClient() as client:
            reply = await client.post(f"{service.url}/v1/track", json=telling)
        reasons += [drop["reason"] for drop in reply.json().get("dropped", [])]
        if message_id != "m3":
            service.kill()
    assert reasons == ["duplicate", "duplicate"]
    await _drained(service)
    assert service.sql("SELECT order_id, value, currency FROM orders") == [["1001", 80, "EUR"]]
    assert service.sql("SELECT count(), uniqExact(event_id) FROM events WHERE event = 'purchase'") == [[1, 1]]

    async def has_fired() -> bool:
        return service.sql("SELECT uniqExact(fire_id) FROM fires") != [[0]]

    await until_told(has_fired)
    assert service.sql("SELECT uniqExact(fire_id) FROM fires") == [[1]]


async def _drained(service: Service) -> None:
    async with httpx.AsyncClient() as client:

        async def is_empty() -> bool:
            figures = (await client.get(f"{service.operations_url}/metrics")).text
            return '\nmicromoment_journal_rows{table="events"} 0.0\n' in figures

        await until_told(is_empty)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
