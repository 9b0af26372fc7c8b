from __future__ import annotations

from pathlib import Path

from litestar import Litestar
from litestar.testing import AsyncTestClient

from tests.collector.away import AWAY
from tests.collector.collector_parts import client_of, running_parts
from tests.collector.messages import message
from warehouse.connection import Warehouse
from warehouse.journal.group_commit import ROOM_WHEN_READY
from warehouse.journal.log import Journal
from warehouse.journal.tables import JournalLimits

Client = AsyncTestClient[Litestar]


async def test_a_live_process_says_so(client: Client) -> None:
    reply = await client.get("/healthz")
    assert (reply.status_code, reply.json()) == (200, {"status": "ok"})


async def test_a_collector_is_ready_while_it_can_keep_events_though_clickhouse_is_away(tmp_path: Path) -> None:
    async with running_parts(tmp_path, AWAY) as parts, client_of(parts) as client:
        await client.post("/v1/batch", json={"writeKey": "shop-key", "batch": [message()]})
        reply = await client.get("/readyz")
    assert (reply.status_code, reply.json()) == (200, {"status": "ready"})


async def test_a_collector_whose_journal_is_full_is_not_ready_and_tells_strangers_no_more(
    tmp_path: Path, embedded_warehouse: Warehouse
) -> None:
    journal = Journal(tmp_path / "journal", JournalLimits(max_bytes=ROOM_WHEN_READY + 100))
    async with running_parts(tmp_path, embedded_warehouse, journal=journal) as parts, client_of(parts) as client:
        assert (await client.get("/readyz")).status_code == 200
        await client.post("/v1/batch", json={"writeKey": "shop-key", "batch": [message()]})
        reply = await client.get("/readyz")
    assert (reply.status_code, reply.json()) == (503, {"status": "not ready"})
