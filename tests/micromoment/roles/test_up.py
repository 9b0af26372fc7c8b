"""All roles in one process, from their start to their end."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from micromoment.engine.client import EngineClient
from micromoment.engine.protocol import socket_path
from micromoment.roles import ownership
from micromoment.roles.bus import BusListener
from micromoment.roles.redis_lease import LeaseTimes
from micromoment.roles.shared import Shared, open_bus
from micromoment.roles.up import ALL_ROLES, Role, run_roles, start_told, until_stopped
from tests.micromoment.roles.installation import WRITE_KEY, settings_in
from tests.micromoment.roles.redis import redis_server
from tests.waiting import until, until_told
from tests.warehouse.journal.journals import NOON, key, line
from warehouse.connection import Warehouse
from warehouse.errors import ConfigurationError
from warehouse.journal.tables import EVENTS


def dsn_of(warehouse: Warehouse) -> str:
    return f"chdb://{warehouse.dsn.path}?database={warehouse.dsn.database}"


def named_role(name: str, seen: list[str], fails: bool = False) -> Role:
    """A role that notes its start and its end."""

    @asynccontextmanager
    async def role(_: Shared) -> AsyncIterator[None]:
        if fails:
            raise ConfigurationError(f"{name} cannot start")
        seen.append(f"{name} starts")
        yield
        seen.append(f"{name} ends")

    return role


async def test_an_event_sent_to_the_collector_is_answered_by_the_worker(
    embedded_warehouse: Warehouse, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path, clickhouse=dsn_of(embedded_warehouse))
    url = f"http://127.0.0.1:{settings.collector_port}"
    async with run_roles(settings, ALL_ROLES), httpx.AsyncClient(base_url=url) as client:
        event = {"writeKey": WRITE_KEY, "event": "hover", "anonymousId": "anna"}
        assert (await client.post("/v1/track", json=event)).is_success
        command = EngineClient(socket_path(settings.data_folder))

        async def is_sent() -> bool:
            sent = await asyncio.to_thread(command.query, "SELECT rule FROM messages WHERE state = 'sent'")
            return sent == [("greets",)]

        await until_told(is_sent)
        command.close()
        operations = f"http://127.0.0.1:{settings.operations_port}"
        figures = (await client.get(f"{operations}/metrics")).text
        assert [(await client.get(path)).status_code for path in ("/metrics", "/schema", "/admin/status")] == [404] * 3
        assert (await client.get(f"{operations}/schema")).json()["info"]["title"] == "Micromoment collector"
    assert "micromoment_events_accepted_total" in figures
    assert 'micromoment_fires_total{rule="greets"} 1.0' in figures


async def test_roles_that_share_a_redis_outlive_it(
    embedded_warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ownership, "USUAL_TIMES", LeaseTimes(ends=2.0, trusted=1.5, renewed=0.3))
    accepted: list[str] = []
    banners: list[str] = []
    listener = BusListener(
        on_accepted=lambda rows, _: accepted.extend(row.visitor_id for row in rows),
        on_banner=lambda notice: banners.extend(notice.anonymous_ids),
    )
    with redis_server(tmp_path) as redis:
        settings = settings_in(tmp_path, clickhouse=dsn_of(embedded_warehouse), redis=redis.url)
        url = f"http://127.0.0.1:{settings.collector_port}"
        operations = f"http://127.0.0.1:{settings.operations_port}"
        async with (
            run_roles(settings, ALL_ROLES),
            httpx.AsyncClient(base_url=url) as client,
            open_bus(redis.url, CollectorRegistry()) as bus,
            bus.listening(listener),
        ):

            async def hovers(visitor: str) -> None:
                event = {"writeKey": WRITE_KEY, "event": "hover", "anonymousId": visitor}
                assert (await client.post("/v1/track", json=event)).is_success

            async def is_connected() -> bool:
                said: dict[str, str] = (await client.get(f"{operations}/readyz")).json()
                return bus.state() == said["bus"] == "ok"

            async def is_sent() -> bool:
                sent = await asyncio.to_thread(
                    embedded_warehouse.query, "SELECT count() FROM messages WHERE state = 'sent'"
                )
                return sent == [(2,)]

            assert (await client.get(f"{operations}/readyz")).json()["bus"].startswith("away; ")
            redis.start()
            await until_told(is_connected)
            await hovers("anna")
            await until(lambda: (accepted, banners) == (["anna"], ["anna"]))
            redis.kill()
            await hovers("bob")
            await until_told(is_sent)
            redis.start()
            await until_told(is_connected)
            await hovers("carl")
            await until(lambda: accepted == ["anna", "carl"] and "carl" in banners)


async def test_nothing_listens_once_the_roles_have_ended(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    settings = settings_in(tmp_path, clickhouse=dsn_of(embedded_warehouse))
    async with run_roles(settings, ALL_ROLES):
        assert socket_path(settings.data_folder).exists()
    assert not socket_path(settings.data_folder).exists()
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{settings.collector_port}/readyz")


async def test_roles_end_in_the_reverse_order_of_their_start(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    seen: list[str] = []
    roles = tuple(named_role(name, seen) for name in ("first", "second"))
    async with run_roles(settings_in(tmp_path, clickhouse=dsn_of(embedded_warehouse)), roles):
        assert seen == ["first starts", "second starts"]
    assert seen[2:] == ["second ends", "first ends"]


async def test_what_a_role_keeps_while_it_ends_is_in_clickhouse_when_all_have_ended(
    embedded_warehouse: Warehouse, tmp_path: Path
) -> None:
    @asynccontextmanager
    async def role(shared: Shared) -> AsyncIterator[None]:
        await shared.caught_up()
        yield
        await shared.journal.append_async(EVENTS, [line("last")], NOON, [key("last")])

    async with run_roles(settings_in(tmp_path, clickhouse=dsn_of(embedded_warehouse)), (role, named_role("other", []))):
        pass
    assert embedded_warehouse.query("SELECT event_id FROM events") == [("last",)]


async def test_a_role_that_cannot_start_lets_no_other_go_on(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    seen: list[str] = []
    roles = (named_role("first", seen), named_role("second", seen, fails=True), named_role("third", seen))
    settings = settings_in(tmp_path, clickhouse=dsn_of(embedded_warehouse))
    with pytest.raises(ConfigurationError, match="second cannot start"):
        async with run_roles(settings, roles):
            pytest.fail("the block ran")
    assert seen == ["first starts"]
    assert not socket_path(settings.data_folder).exists()


@pytest.mark.parametrize(
    ("clickhouse", "message", "hint"),
    [
        ("chdb:///./var/clickhouse", "clickhouse: the embedded engine serves one process", "micromoment up"),
        ("clickhouse://127.0.0.1:1/nowhere", "redis: roles in separate processes", "MICROMOMENT_REDIS"),
    ],
)
async def test_a_role_alone_needs_what_it_shares_with_the_others(
    tmp_path: Path, clickhouse: str, message: str, hint: str
) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        async with run_roles(settings_in(tmp_path, clickhouse=clickhouse), (named_role("alone", []),)):
            pytest.fail("the block ran")
    assert refusal.value.message.startswith(message)
    assert hint in refusal.value.hint


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_what_runs_after_it_was_announced(name: signal.Signals) -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def parts() -> AsyncIterator[None]:
        seen.append("up")
        yield
        seen.append("ended")

    def announce() -> None:
        seen.append("announced")
        os.kill(os.getpid(), name)

    async with asyncio.timeout(10):
        await until_stopped(parts(), announce)
    assert seen == ["up", "announced", "ended"]


async def test_what_the_start_made_is_not_looked_through_again_until_the_stop() -> None:
    usual, seen = gc.get_threshold(), list[bool]()

    @asynccontextmanager
    async def parts() -> AsyncIterator[None]:
        yield

    def look() -> None:
        seen.append(gc.get_freeze_count() > 0 and gc.get_threshold() > usual and gc.isenabled())
        os.kill(os.getpid(), signal.SIGTERM)

    def announce() -> None:
        asyncio.get_running_loop().call_soon(look)

    async with asyncio.timeout(10):
        await until_stopped(parts(), announce)
    assert seen == [True]
    assert (gc.get_freeze_count(), gc.get_threshold()) == (0, usual)


def test_a_start_is_told_without_secrets(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, rate_per_second=5.0, smtp_password="hush", redis="redis://:hush@host")
    told = start_told(settings, ALL_ROLES)
    assert told["roles"] == ["collector", "worker"]
    assert told["settings"]["rate_per_second"] == 5.0
    assert told["settings"]["smtp_password"] == "set"
    assert "hush" not in str(told)
