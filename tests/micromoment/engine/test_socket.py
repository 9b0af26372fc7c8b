from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from micromoment.configuration.settings import Settings
from micromoment.engine.client import EngineClient, open_engine
from micromoment.engine.protocol import socket_path
from micromoment.engine.socket import hold_engine, serve_engine
from micromoment.roles.up import ALL_ROLES, run_roles
from tests.waiting import until
from tests.warehouse.rows import as_lines, event_row
from warehouse.connection import Warehouse
from warehouse.errors import ConfigurationError, WarehouseError, WarehouseUnavailable


@pytest.fixture
async def path(embedded_warehouse: Warehouse, tmp_path: Path) -> AsyncIterator[Path]:
    path = socket_path(str(tmp_path))
    async with serve_engine(embedded_warehouse, path):
        await until(path.exists)
        yield path


@pytest.fixture
async def client(path: Path) -> AsyncIterator[EngineClient]:
    client = EngineClient(path)
    yield client
    client.close()


async def test_another_command_may_ask_and_store(client: EngineClient) -> None:
    for _ in range(2):
        await asyncio.to_thread(client.insert_lines, "events", as_lines([event_row(event_id="e")]), "token")
    sql = "SELECT event_id, {word:String} FROM events"
    assert await asyncio.to_thread(client.export, sql, "TSV", {"word": "w"}) == b"e\tw\n"


@pytest.mark.parametrize("sql", ["DROP TABLE events", "INSERT INTO worker_cursor (worker) VALUES ('w')", "SELEC 1"])
async def test_what_clickhouse_refuses_is_told_as_it_would_be_here(client: EngineClient, sql: str) -> None:
    with pytest.raises(WarehouseError, match="ClickHouse at chdb"):
        await asyncio.to_thread(client.export, sql, "TSV")
    assert await asyncio.to_thread(client.export, "SELECT count() FROM worker_cursor", "TSV") == b"0\n"


async def test_only_its_user_can_reach_the_socket(path: Path) -> None:
    assert path.parent.stat().st_mode & 0o777 == 0o700


async def test_a_command_goes_through_the_running_process(path: Path, embedded_warehouse: Warehouse) -> None:
    settings = Settings(clickhouse=f"chdb://{embedded_warehouse.dsn.path}", data_folder=str(path.parents[1]))

    def ask() -> bytes:
        with open_engine(settings) as engine:
            assert isinstance(engine, EngineClient)
            return engine.export("SELECT currentDatabase()", "TSV")

    assert await asyncio.to_thread(ask) == f"{embedded_warehouse.dsn.database}\n".encode()


async def test_the_socket_goes_with_the_process(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    path = socket_path(str(tmp_path))
    async with serve_engine(embedded_warehouse, path):
        pass
    assert not path.exists()


def test_a_socket_that_was_left_behind_does_not_answer(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    client = EngineClient(path)
    assert not client.answers()
    with pytest.raises(WarehouseUnavailable):
        client.export("SELECT 1", "TSV")
    client.close()


def test_without_a_running_process_a_command_opens_clickhouse_itself(unmade_dsn: str, tmp_path: Path) -> None:
    with open_engine(Settings(clickhouse=unmade_dsn, data_folder=str(tmp_path))) as engine:
        assert isinstance(engine, Warehouse)
        assert engine.export("SELECT count() FROM events", "TSV") == b"0\n"


async def test_a_second_start_on_the_same_data_folder_is_refused_and_touches_nothing(
    path: Path, client: EngineClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("micromoment.engine.socket.LOCK_WAIT_SECONDS", 0.1)
    # Another folder of ClickHouse's: only the data folder is the same, and so are its socket and secrets.
    settings = Settings(clickhouse=f"chdb://{tmp_path}/another", data_folder=str(tmp_path))
    async with hold_engine(path):
        with pytest.raises(ConfigurationError) as refusal:
            async with run_roles(settings, ALL_ROLES):
                pytest.fail("it ran beside the other one")
    assert str(tmp_path) in refusal.value.message
    assert "data_folder" in refusal.value.hint
    assert not (tmp_path / "another").exists()
    assert await asyncio.to_thread(client.export, "SELECT 1", "TSV") == b"1\n"


async def test_the_data_folder_is_free_once_its_process_has_ended(tmp_path: Path) -> None:
    for _ in range(2):
        async with hold_engine(socket_path(str(tmp_path))):
            pass


async def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        async with hold_engine(socket_path(str(tmp_path))):
            pytest.fail("it was held")
