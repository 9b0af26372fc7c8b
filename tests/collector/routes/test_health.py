from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Final, cast

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from prometheus_client.parser import text_string_to_metric_families

from collector.routes import health
from tests.collector.away import AWAY
from tests.collector.collector_parts import client_of, running_parts
from tests.collector.messages import message
from warehouse.connection import Warehouse
from warehouse.journal.group_commit import ROOM_WHEN_READY
from warehouse.journal.log import Journal
from warehouse.journal.tables import JournalLimits

Client = AsyncTestClient[Litestar]
WAIT_SECONDS: Final = 20


async def test_a_live_process_says_so(client: Client) -> None:
    reply = await client.get("/healthz")
    assert (reply.status_code, reply.json()) == (200, {"status": "ok"})


async def test_a_collector_that_can_keep_and_store_events_is_ready(client: Client) -> None:
    reply = await client.get("/readyz")
    assert (reply.status_code, reply.json()) == (
        200,
        {"status": "ready", "journal": "ok", "clickhouse": "ok", "bus": "ok"},
    )


async def test_a_collector_is_ready_while_it_can_keep_events_though_clickhouse_is_away(tmp_path: Path) -> None:
    async with running_parts(tmp_path, AWAY) as parts, client_of(parts) as client:
        await client.post("/v1/batch", json={"writeKey": "shop-key", "batch": [message()]})
        reply = await client.get("/readyz")
    clickhouse = "unreachable; 1 events wait on disk: nobody there"
    assert (reply.status_code, reply.json()) == (
        200,
        {"status": "ready", "journal": "ok", "clickhouse": clickhouse, "bus": "ok"},
    )


async def test_a_collector_whose_journal_is_full_is_not_ready_and_names_it(
    tmp_path: Path, embedded_warehouse: Warehouse
) -> None:
    limit = ROOM_WHEN_READY + 100
    journal = Journal(tmp_path / "journal", JournalLimits(max_bytes=limit))
    async with running_parts(tmp_path, embedded_warehouse, journal=journal) as parts, client_of(parts) as client:
        assert (await client.get("/readyz")).status_code == 200
        await client.post("/v1/batch", json={"writeKey": "shop-key", "batch": [message()]})
        reply = await client.get("/readyz")
    full = f"the journal holds the {limit} bytes that it may, which wait for ClickHouse"
    assert (reply.status_code, reply.json()) == (
        503,
        {"status": "not ready", "journal": full, "clickhouse": "ok", "bus": "ok"},
    )


async def test_a_clickhouse_that_takes_too_long_is_named_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()
    slow = cast(Warehouse, SimpleNamespace(query=lambda *_: answer.wait(WAIT_SECONDS)))
    monkeypatch.setattr(health, "_READY_WITHIN_SECONDS", 0.01)
    try:
        async with running_parts(tmp_path, slow) as parts, client_of(parts) as client:
            reply = await client.get("/readyz")
            # The client's threads end with it, and so does this one.
            answer.set()
    finally:
        answer.set()
    assert (reply.status_code, reply.json()["clickhouse"]) == (200, "unreachable; 0 events wait on disk: ")


async def test_figures_are_in_prometheus_format_and_count_what_happened(client: Client) -> None:
    sent = {"writeKey": "shop-key", "batch": [message(messageId="a"), message(messageId="b", event="")]}
    await client.post("/v1/batch", json=sent)
    await client.post("/v1/batch", content=b"{")
    reply = await client.get("/metrics")
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
    }
    assert samples[("micromoment_events_accepted_total", "shop")] == 1
    assert samples[("micromoment_events_dropped_total", "no_name", "shop")] == 1
    assert samples[("micromoment_requests_refused_total", "malformed")] == 1
    assert samples[("micromoment_acknowledge_seconds_count",)] == 1
