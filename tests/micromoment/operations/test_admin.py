"""The admin API: erase, export and status, for whoever has its token."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
import msgspec
import pytest

from micromoment.configuration.kept_secrets import read_admin_token
from micromoment.configuration.settings import Settings
from micromoment.roles.operations import serve_operations
from tests.micromoment.roles.installation import settings_in, sharing
from tests.warehouse.rows import event_row, store, value
from warehouse.connection import Warehouse
from warehouse.event import format_time
from warehouse.faults import FaultRow, slot_of
from warehouse.journal.tables import TABLES

PERSON = {"site": "shop", "visitor": "anna"}


def url_of(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.operations_port}"


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer wrong", "Basic {}", "Bearer {}x", "bearer {}"])
async def test_without_the_token_nothing_is_answered(embedded_warehouse: Warehouse, tmp_path: Path, sent: str) -> None:
    settings = settings_in(tmp_path)
    store(embedded_warehouse, event_row(visitor_id="anna"))
    async with sharing(settings, embedded_warehouse) as shared, serve_operations(shared, "operations_port"):
        headers = {"Authorization": sent.format(read_admin_token(settings))} if sent else {}
        async with httpx.AsyncClient(base_url=url_of(settings), headers=headers) as client:
            replies = [
                await client.get("/admin/status"),
                await client.get("/admin/warnings"),
                await client.post("/admin/erase", json=PERSON),
                await client.post("/admin/export-person", json=PERSON),
            ]
    assert [reply.status_code for reply in replies] == [401] * 4
    assert value(embedded_warehouse, "SELECT count() FROM events") == 1


async def test_a_person_is_exported_and_erased(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    settings = settings_in(tmp_path, admin_token="the token")
    store(embedded_warehouse, event_row(visitor_id="anna"), event_row(visitor_id="bob"))
    headers = {"Authorization": "Bearer the token"}
    async with (
        sharing(settings, embedded_warehouse) as shared,
        serve_operations(shared, "operations_port"),
        httpx.AsyncClient(base_url=url_of(settings), headers=headers, timeout=60) as client,
    ):
        status = (await client.get("/admin/status")).json()
        exported = await client.post("/admin/export-person", json=PERSON)
        erased = await client.post("/admin/erase", json=PERSON)
        wrong = await client.post("/admin/erase", json={"visitor": "anna"})
    assert status["readiness"]["status"] == "ready"
    assert set(status["waiting"]) == {table.name for table in TABLES}
    lines = [json.loads(line) for line in exported.text.splitlines()]
    assert lines[0]["person"]["ids"] == ["anna"]
    assert [line["table"] for line in lines[1:]] == ["events", "event_feed", "visitor_daily"]
    assert erased.json()["rows"]["events"] == 1
    assert (wrong.status_code, "site" in wrong.json()["message"]) == (400, True)
    assert value(embedded_warehouse, "SELECT groupArray(visitor_id) FROM events") == ["bob"]
    assert value(embedded_warehouse, "SELECT groupUniqArray(actor) FROM audit") == ["admin API"]


async def test_what_senders_did_wrong_is_told(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    now_ms = time.time_ns() // 1_000_000
    example = (format_time(now_ms), "hover", "sdk 1", "why")
    for site, code in (("shop", "no_name"), ("other", "too_large")):
        row = FaultRow(site, "drop", code, slot_of(now_ms), 0, 3, "mend it", *example)
        embedded_warehouse.insert_lines("faults", msgspec.json.encode(row), code)
    settings = settings_in(tmp_path, admin_token="the token")
    headers = {"Authorization": "Bearer the token"}
    async with (
        sharing(settings, embedded_warehouse) as shared,
        serve_operations(shared, "operations_port"),
        httpx.AsyncClient(base_url=url_of(settings), headers=headers) as client,
    ):
        found = (await client.get("/admin/warnings")).json()
        (fault,) = (await client.get("/admin/warnings", params={"site": "shop"})).json()
    assert [each["site"] for each in found] == ["other", "shop"]
    assert (fault["code"], fault["events"], fault["remedy"]) == ("no_name", 3, "mend it")
    assert [tuple(each.values()) for each in fault["examples"]] == [example]


def test_the_token_is_made_once_and_is_its_users_alone(tmp_path: Path) -> None:
    settings = Settings(data_folder=str(tmp_path))
    token = read_admin_token(settings)
    assert len(token) >= 32
    assert read_admin_token(settings) == token
    assert (tmp_path / "admin.token").stat().st_mode & 0o777 == 0o600
