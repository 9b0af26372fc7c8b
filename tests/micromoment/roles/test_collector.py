from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import cast

import httpx
import pytest

from micromoment.configuration.settings import Settings, SiteSettings
from micromoment.roles.collector import configured_sites, run_collector
from tests.micromoment.roles.installation import settings_in, sharing
from warehouse.connection import Warehouse
from warehouse.errors import ConfigurationError, WarehouseUnavailable
from warehouse.faults import read_faults


class AwayWarehouse:
    """Nothing answers."""

    def query(self, *_: object) -> None:
        raise WarehouseUnavailable("nobody there")

    def insert_lines(self, *_: object) -> None:
        raise WarehouseUnavailable("nobody there")


async def test_events_are_taken_while_clickhouse_is_away_and_readiness_says_so(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    event = {"writeKey": "shop-key", "event": "e", "anonymousId": "c"}
    async with (
        sharing(settings, cast(Warehouse, AwayWarehouse())) as shared,
        run_collector(shared),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.collector_port}") as client,
    ):
        assert (await client.post("/v1/track", json=event)).status_code == 200
        reply = await client.get("/readyz")
    assert (reply.status_code, reply.json()) == (200, {"status": "ready"})


async def test_what_was_left_is_moved_once_clickhouse_is_back(tmp_path: Path, embedded_warehouse: Warehouse) -> None:
    event = {"writeKey": "shop-key", "event": "e", "anonymousId": "c", "messageId": "m"}
    for warehouse in (cast(Warehouse, AwayWarehouse()), embedded_warehouse):
        settings = settings_in(tmp_path)
        async with sharing(settings, warehouse) as shared, run_collector(shared):
            url = f"http://127.0.0.1:{settings.collector_port}/v1/track"
            async with httpx.AsyncClient() as client:
                assert (await client.post(url, json=event)).status_code == 200
    assert list(embedded_warehouse.query("SELECT event_id FROM events")) == [("m",)]


async def test_what_several_collectors_were_sent_wrongly_is_told_together_once_they_have_stopped(
    tmp_path: Path, embedded_warehouse: Warehouse
) -> None:
    body = {"writeKey": "shop-key", "batch": [{"type": "track", "event": "quiz_done"}] * 3}
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        settings = settings_in(tmp_path / name)
        async with (
            sharing(settings, embedded_warehouse) as shared,
            run_collector(shared),
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.collector_port}") as client,
        ):
            for _ in range(2):
                assert (await client.post("/v1/batch", json=body)).status_code == 200
    (fault,) = read_faults(embedded_warehouse, time.time_ns() // 1_000_000)
    assert (fault.code, fault.events, fault.examples[0].event) == ("no_visitor", 12, "quiz_done")


async def test_a_port_that_is_in_use_is_named_with_the_remedy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = settings_in(tmp_path, collector_port=port)
        async with sharing(settings, cast(Warehouse, AwayWarehouse())) as shared:
            with pytest.raises(ConfigurationError) as caught:
                await run_collector(shared).__aenter__()
    assert f"collector_port: 127.0.0.1:{port} is in use" in caught.value.message
    assert "MICROMOMENT_COLLECTOR_PORT" in caught.value.hint


@pytest.mark.parametrize(
    ("sites", "says"),
    [
        ({}, "no site is configured"),
        ({"a": SiteSettings(write_key="k"), "b": SiteSettings(write_key="k")}, "share a write key"),
        (
            {name: SiteSettings(write_key=name, server_key="k" * 20) for name in ("a", "b")},
            "share a write key or server key",
        ),
        (
            {name: SiteSettings(write_key=name, identity_secret="s" * 20) for name in ("a", "b")},
            "share an identity secret",
        ),
    ],
)
def test_sites_that_could_take_nothing_are_an_error(sites: dict[str, SiteSettings], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        configured_sites(Settings(sites=sites, secret="of the installation"))
