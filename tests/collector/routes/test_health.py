from __future__ import annotations

from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from prometheus_client.parser import text_string_to_metric_families

from tests.collector.collector_parts import client_of, running_parts
from tests.collector.messages import message
from warehouse.connection import Warehouse

Client = AsyncTestClient[Litestar]


async def test_a_live_process_says_so(client: Client) -> None:
    reply = await client.get("/healthz")
    assert (reply.status_code, reply.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("checked", "status", "word"),
    [
        ({"spool": "ok", "clickhouse": "ok"}, 200, "ready"),
        ({"spool": "ok", "clickhouse": "unreachable; 3 events wait on disk"}, 200, "ready"),
        ({"spool": "full: 9 events wait", "clickhouse": "ok"}, 503, "not ready"),
    ],
)
async def test_a_collector_is_ready_while_it_can_keep_events_and_names_every_trouble(
    tmp_path: Path, embedded_warehouse: Warehouse, checked: dict[str, str], status: int, word: str
) -> None:
    async def check() -> dict[str, str]:
        return checked

    async with running_parts(tmp_path, embedded_warehouse, check_ready=check) as parts, client_of(parts) as client:
        reply = await client.get("/readyz")
        assert (reply.status_code, reply.json()) == (status, {"status": word, **checked})


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
    assert samples[("micromoment_spool_depth",)] == 1
    assert samples[("micromoment_acknowledge_seconds_count",)] == 1
