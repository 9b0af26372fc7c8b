"""A person is erased from a running installation: tables, journal, memory; and nothing brings them back."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from collector.sites import Site
from micromoment.configuration.settings import Settings
from micromoment.engine.client import EngineClient, open_engine
from micromoment.engine.protocol import PersonRequest, socket_path
from micromoment.history.importer import import_file
from micromoment.privacy.desk import ErasureReport
from micromoment.privacy.erasures import Erasures
from micromoment.roles.personal_data import hear_of_erasures, open_personal_data, personal_data, read_erasures
from micromoment.roles.up import ALL_ROLES, run_roles
from tests.micromoment.roles.installation import WRITE_KEY, settings_in, sharing
from tests.waiting import until, until_told
from tests.warehouse.journal.journals import line
from tests.warehouse.rows import event_row, store, value
from warehouse.connection import Warehouse
from warehouse.event import EventRow, format_time
from warehouse.journal.tables import EVENTS, MESSAGES

ADDRESS = "anna.needle@example.com"
ANNA = "anna-needle"


def dsn_of(warehouse: Warehouse) -> str:
    return f"chdb://{warehouse.dsn.path}?database={warehouse.dsn.database}"


def event(name: str, visitor: str, **fields: Any) -> dict[str, Any]:
    return {"writeKey": WRITE_KEY, "event": name, "anonymousId": visitor, **fields}


def files_with(folder: Path, needle: bytes) -> list[str]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path.relative_to(folder)) for path in paths if needle in path.read_bytes()]


class Product:
    """A running installation, its collector's client and the client of its engine."""

    def __init__(self, settings: Settings, client: httpx.AsyncClient, engine: EngineClient) -> None:
        self.settings = settings
        self.client = client
        self.engine = engine

    async def sends(self, path: str, **body: Any) -> dict[str, Any]:
        reply = await self.client.post(path, json={"writeKey": WRITE_KEY, **body})
        assert reply.is_success, reply.text
        found: dict[str, Any] = reply.json()
        return found

    async def hovers(self, visitor: str, **fields: Any) -> dict[str, Any]:
        return await self.sends("/v1/track", event="hover", anonymousId=visitor, **fields)

    async def has(self, sql: str, expected: object) -> None:
        async def is_so() -> bool:
            return list(await asyncio.to_thread(self.engine.query, sql)) == [(expected,)]

        await until_told(is_so)

    async def erase(self, visitor: str) -> ErasureReport:
        asked = PersonRequest("shop", visitor, "somebody")
        return await asyncio.to_thread(self.engine.erase, asked, ErasureReport)

    async def export(self, visitor: str) -> list[dict[str, Any]]:
        parts = await asyncio.to_thread(lambda: list(self.engine.export_person(PersonRequest("shop", visitor))))
        return [json.loads(text) for text in b"".join(parts).splitlines()]


@asynccontextmanager
async def product(settings: Settings) -> AsyncIterator[Product]:
    url = f"http://127.0.0.1:{settings.collector_port}"
    async with run_roles(settings, ALL_ROLES), httpx.AsyncClient(base_url=url) as client:
        engine = EngineClient(socket_path(settings.data_folder))
        try:
            yield Product(settings, client, engine)
        finally:
            engine.close()


async def test_a_person_is_gone_from_tables_journal_and_memory(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    later = "id: later\nwhen: hover\nevery: 0\nsend: [{banner: hello, after: 1h}]\n"
    settings = settings_in(tmp_path, clickhouse=dsn_of(embedded_warehouse))
    (tmp_path / "rules" / "later.yaml").write_text(later)
    async with product(settings) as running:
        await running.sends("/v1/identify", anonymousId=f"{ANNA}-browser", userId=ANNA, traits={"email": ADDRESS})
        await running.hovers(f"{ANNA}-browser")
        await running.hovers("bob")
        await running.has("SELECT count() > 0 FROM messages WHERE state = 'pending' AND visitor_id LIKE 'anna%'", 1)
        operations = f"http://127.0.0.1:{settings.operations_port}"
        people = (await running.client.get(f"{operations}/metrics")).text
        assert "micromoment_outbox_depth 2.0" in people
        report = await running.erase(f"{ANNA}-browser")
        assert report.ids == 2
        assert report.rows["events"] >= 3
        assert report.rows["messages"] > 0
        figures = (await running.client.get(f"{operations}/metrics")).text
        assert "micromoment_outbox_depth 1.0" in figures
        assert files_with(tmp_path / "var", ADDRESS.encode()) == []
        assert files_with(tmp_path / "var", ANNA.encode()) == []
        left = await running.export(ANNA)
        assert [sorted(each) for each in left] == [["person"]]
        assert len(await running.export("bob")) > 3
    assert files_with(tmp_path / "var", ANNA.encode()) == []


async def test_what_arrives_late_brings_nobody_back_and_a_new_visit_is_somebody_new(
    embedded_warehouse: Warehouse, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path, clickhouse=dsn_of(embedded_warehouse))
    async with product(settings) as running:
        await running.hovers(ANNA)
        await running.has("SELECT count() FROM messages WHERE state = 'sent'", 1)
        ((message_id,),) = await asyncio.to_thread(running.engine.query, "SELECT DISTINCT message_id FROM messages")
        await running.erase(ANNA)
        before = "2026-11-01T00:00:00Z"
        reply = await running.hovers(ANNA, messageId="late", timestamp=before)
        assert [drop["reason"] for drop in reply["dropped"]] == ["erased"]
        late_join = await running.sends("/v1/identify", anonymousId=ANNA, userId="somebody", timestamp=before)
        assert [drop["reason"] for drop in late_join["dropped"]] == ["erased"]
        about = {"event": "message_shown", "properties": {"message_id": message_id}}
        shown = await running.sends("/v1/track", anonymousId=ANNA, **about)
        assert [drop["reason"] for drop in shown["dropped"]] == ["erased"]
        new = await running.hovers(ANNA, messageId="new")
        assert "dropped" not in new
        await running.has("SELECT groupUniqArray(event_id) FROM events WHERE event = 'hover'", ["new"])
    # After a restart the tombstones count as before.
    async with product(settings) as running:
        reply = await running.hovers(ANNA, messageId="later", timestamp=before)
        assert [drop["reason"] for drop in reply["dropped"]] == ["erased"]


async def test_an_import_from_before_brings_nobody_back(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    settings = settings_in(tmp_path, clickhouse=dsn_of(embedded_warehouse))
    history = tmp_path / "history.jsonl"
    lines = [
        {"type": "track", "event": "hover", "anonymousId": who, "messageId": who, "timestamp": "2026-01-01T00:00:00Z"}
        for who in (ANNA, "bob")
    ]
    history.write_text("\n".join(map(json.dumps, lines)))
    async with open_personal_data(settings) as data:
        await data.erase("shop", ANNA, "somebody")
    with open_engine(settings) as engine:
        erasures = await read_erasures(settings, embedded_warehouse)
        report = import_file(engine, history, Site("shop", ""), 0, lambda _: None, erasures.is_erased)
    assert (report.stored, dict(report.dropped)) == (1, {"erased": 1})
    assert value(embedded_warehouse, "SELECT groupArray(visitor_id) FROM events") == ["bob"]


async def test_rows_that_clickhouse_refused_and_leftovers_of_the_journal_go_too(
    embedded_warehouse: Warehouse, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path, clickhouse=dsn_of(embedded_warehouse))
    async with sharing(settings, embedded_warehouse) as shared:
        poison = {"site": "shop", "visitor_id": ANNA, "event_id": "p", "ts": "2026-11-22 12:00:00.000", "seq": "no"}
        shared.journal.append(EVENTS, [msgspec.json.encode(poison), line("good")], 1).result(10)
        folder = tmp_path / "var" / "journal"
        await until(lambda: bool(list(folder.glob("*.refused"))))
        (folder / "damaged").mkdir()
        (folder / "damaged" / "000000000001.segment").write_bytes(b"xx " + ANNA.encode())
        (folder.parent / "spool.sqlite.adopted").write_bytes(ANNA.encode())
        lines = [part async for part in shared.data.export("shop", ANNA, "somebody")]
        assert b'"waiting":"events"' in b"".join(lines)
        report = await shared.data.erase("shop", ANNA, "somebody")
        assert report.waiting == 1
        assert files_with(tmp_path / "var", ANNA.encode()) == []
    assert files_with(tmp_path / "var", ANNA.encode()) == []


async def test_rows_of_the_worker_that_were_on_their_way_are_not_stored(
    embedded_warehouse: Warehouse, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path, clickhouse=dsn_of(embedded_warehouse))
    async with sharing(settings, embedded_warehouse) as shared:
        await shared.data.erase("shop", ANNA, "somebody")
        at = format_time(time.time_ns() // 1_000_000)
        message = {"site": "shop", "visitor_id": ANNA, "message_id": "m", "state": "sent", "at": at, "due_at": at}
        other = {**message, "visitor_id": "bob"}
        rows = [msgspec.json.encode(message), msgspec.json.encode(other)]
        shared.journal.append(MESSAGES, rows, 1).result(10)
        await until(lambda: shared.journal.depth(MESSAGES) == 0)
    assert value(embedded_warehouse, "SELECT groupArray(visitor_id) FROM messages") == ["bob"]


async def test_a_process_elsewhere_hears_of_an_erasure_and_forgets(warehouse: Warehouse, tmp_path: Path) -> None:
    settings = settings_in(tmp_path, clickhouse="clickhouse://elsewhere:8123/db")
    here, there = Erasures(b"secret"), Erasures(b"secret")
    forgot: list[str] = []
    there_hears = asyncio.create_task(hear_of_erasures(warehouse, there, ()))
    try:
        with there.forgetting(lambda is_erased: forgot.extend(["anna"] if is_erased("shop", "anna") else [])):
            async with personal_data(settings, warehouse, here, ()) as data:
                store(warehouse, event_row(visitor_id="anna"))
                erasing = asyncio.create_task(data.erase("shop", "anna", "somebody"))
                await until(lambda: bool(forgot))
                # A row that reached ClickHouse before the other process had heard is found, too.
                store(warehouse, event_row(visitor_id="anna"))
                report = await erasing
        assert report.rows["events"] == 2
        assert value(warehouse, "SELECT count() FROM events WHERE visitor_id = 'anna'") == 0
        row = event_row(visitor_id="anna")
        assert there.is_erased(msgspec.convert(row, EventRow, from_attributes=True))
    finally:
        there_hears.cancel()


async def test_the_audit_says_who_and_how_much_and_never_about_whom(
    embedded_warehouse: Warehouse, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path, clickhouse=dsn_of(embedded_warehouse))
    async with open_personal_data(settings) as data:
        store(embedded_warehouse, event_row(visitor_id=ANNA))
        [part async for part in data.export("shop", ANNA, "ada")]
        await data.erase("shop", ANNA, "grace")
    rows = list(embedded_warehouse.query("SELECT actor, action, detail FROM audit ORDER BY at"))
    assert [row[:2] for row in rows] == [("ada", "export"), ("grace", "erase")]
    assert all(json.loads(detail)["rows"]["events"] == 1 for _, _, detail in rows)
    assert not any(ANNA in detail for _, _, detail in rows)
