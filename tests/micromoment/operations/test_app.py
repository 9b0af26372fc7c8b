"""What operators are told at the port of operations."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families

from micromoment.operations import readiness
from micromoment.operations.app import OperationsParts, create_operations_app
from tests.warehouse.journal.journals import NOON, line
from trigger_worker.metrics import WorkerMetrics
from warehouse.connection import Warehouse
from warehouse.errors import WarehouseUnavailable
from warehouse.journal.group_commit import ROOM_WHEN_READY, JournalThread
from warehouse.journal.log import Journal
from warehouse.journal.tables import EVENTS, JournalLimits

Client = AsyncTestClient[Litestar]
WAIT_SECONDS: Final = 20


@asynccontextmanager
async def operations(
    folder: Path, ping: Callable[[], Any] = lambda: None, limits: JournalLimits | None = None, **changes: Any
) -> AsyncIterator[tuple[Client, JournalThread]]:
    """Yield a client of the application over a journal and a ClickHouse that answers as it is told."""
    with JournalThread(Journal(folder / "journal", limits or JournalLimits())) as journal:
        parts = OperationsParts(
            registry=CollectorRegistry(),
            journal=journal,
            warehouse=cast(Warehouse, SimpleNamespace(ping=ping)),
            bus_state=lambda: "ok",
            now_ms=lambda: NOON,
            version="1.2.3",
        )
        app = create_operations_app(msgspec.structs.replace(parts, **changes))
        async with AsyncTestClient(app, base_url="http://127.0.0.1:8004") as client:
            yield client, journal


def away() -> None:
    raise WarehouseUnavailable("nobody there")


async def test_a_process_whose_parts_work_is_ready(tmp_path: Path) -> None:
    async with operations(tmp_path) as (client, _):
        reply = await client.get("/readyz")
        assert (await client.get("/healthz")).json() == {"status": "ok"}
    expected = {"status": "ready", "journal": "ok", "clickhouse": "ok", "bus": "ok", "clock": "ok", "messages": "ok"}
    assert (reply.status_code, reply.json()) == (200, expected)


async def test_what_is_away_is_named_and_does_not_make_a_process_unready(tmp_path: Path) -> None:
    async with operations(tmp_path, away, bus_state=lambda: "no answer") as (client, journal):
        journal.append(EVENTS, [line("1")], NOON).result(10)
        reply = await client.get("/readyz")
    assert reply.status_code == 200
    assert reply.json()["clickhouse"] == "unreachable; 1 rows wait on disk: nobody there"
    assert reply.json()["bus"] == "away; pages and rules wait for ClickHouse instead: no answer"


async def test_a_full_journal_makes_a_process_unready_and_is_named(tmp_path: Path) -> None:
    limit = ROOM_WHEN_READY + 10
    async with operations(tmp_path, limits=JournalLimits(max_bytes=limit)) as (client, journal):
        journal.append(EVENTS, [line("1")], NOON).result(10)
        reply = await client.get("/readyz")
    assert reply.status_code == 503
    assert reply.json()["journal"] == f"the journal holds the {limit} bytes that it may, which wait for ClickHouse"


async def test_a_clickhouse_that_takes_too_long_is_named_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()
    monkeypatch.setattr(readiness, "_ANSWERS_WITHIN_SECONDS", 0.01)
    try:
        async with operations(tmp_path, lambda: answer.wait(WAIT_SECONDS)) as (client, _):
            reply = await client.get("/readyz")
            answer.set()
    finally:
        answer.set()
    assert reply.json()["clickhouse"] == "unreachable; 0 rows wait on disk: no answer within 2 s"


async def test_figures_are_in_prometheus_format(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    Counter("micromoment_events_accepted_total", "Events.", ["site"], registry=registry).labels("shop").inc()
    async with operations(tmp_path, registry=registry) as (client, _):
        reply = await client.get("/metrics")
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = [sample for family in text_string_to_metric_families(reply.text) for sample in family.samples]
    assert ("micromoment_events_accepted_total", 1.0) in [(sample.name, sample.value) for sample in samples]


async def test_the_description_of_the_api_is_a_document_that_loads_nothing(tmp_path: Path) -> None:
    async with operations(tmp_path, api_description=b'{"openapi":"3.1.0"}') as (client, _):
        reply = await client.get("/schema")
        front = await client.get("/")
    assert reply.json() == {"openapi": "3.1.0"}
    assert '<a href="/schema">' in front.text
    assert "src=" not in front.text
    async with operations(tmp_path) as (client, _):
        assert (await client.get("/schema")).status_code == 404


@pytest.mark.parametrize(
    ("host", "is_loopback", "status"),
    [
        ("127.0.0.1:8004", True, 200),
        ("[::1]:8004", True, 200),
        ("localhost", True, 200),
        ("evil.example", True, 421),
        ("127.0.0.1.evil.example:8004", True, 421),
        ("operations.internal:8004", False, 200),
    ],
)
async def test_a_page_that_leads_its_own_name_to_this_machine_learns_nothing(
    tmp_path: Path, host: str, is_loopback: bool, status: int
) -> None:
    async with operations(tmp_path, is_loopback=is_loopback) as (client, _):
        assert (await client.get("/metrics", headers={"Host": host})).status_code == status


async def test_a_clickhouse_that_answers_and_takes_no_rows_is_told_with_what_waits(tmp_path: Path) -> None:
    full = "events: Cannot reserve 1.00 MiB, not enough space (243)"
    async with operations(tmp_path, storing_state=lambda: full) as (client, _):
        reply = await client.get("/readyz")
    assert reply.status_code == 200, "events are taken, and kept on disk"
    assert reply.json()["clickhouse"] == f"takes no rows; 0 wait on disk: {full}"


async def test_messages_that_a_ceiling_holds_back_are_told(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    reached = WorkerMetrics(registry).hourly_ceiling_reached
    reached.labels("shop", "marketing").set(1)
    reached.labels("shop", "transactional").set(0)
    async with operations(tmp_path, registry=registry) as (client, _):
        reply = await client.get("/readyz")
    assert reply.status_code == 200
    assert reply.json()["messages"] == "held back, hourly_messages is reached: marketing of shop"
