"""A command reads the same through the running process as from the engine itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from micromoment.engine.client import EngineClient
from micromoment.engine.protocol import socket_path
from micromoment.engine.socket import serve_engine
from tests.trigger_worker.rules.evaluate.support import rule
from tests.trigger_worker.stored import NOON, event_row, fire, person, store, visitor
from trigger_worker.rules.evaluate.needs import Needs, needs
from trigger_worker.rules.model import NO_AUDIENCES
from trigger_worker.store.active import Range, count_active, read_active
from trigger_worker.store.fires import read_past_fires
from trigger_worker.store.people import find_people
from trigger_worker.store.records import Records
from trigger_worker.store.windows import Wanted, read_histories
from warehouse.connection import Warehouse
from warehouse.errors import WarehouseError
from warehouse.queries import Queries

LINGERS = rule("id: lingers\nwhen: hover")


@pytest.fixture
async def client(embedded_warehouse: Warehouse, tmp_path: Path) -> AsyncIterator[EngineClient]:
    path = socket_path(str(tmp_path))
    async with serve_engine(embedded_warehouse, path):
        client = EngineClient(path)
        yield client
        client.close()


def everything(queries: Queries) -> list[object]:
    """What the reading functions return of one small history."""
    wanted = Wanted({"any": 1000}, None, frozenset({"device", "timezone"}))
    asked: list[Needs] = [needs(LINGERS, NO_AUDIENCES)]
    anna = find_people(queries, [visitor("phone")])[visitor("phone")]
    history = read_histories(queries, [anna], wanted, NOON, NOON)[anna]
    past = read_past_fires(queries, [anna], NOON - 1000, ["lingers"])[anna]
    span = Range(NOON - 1000, NOON)
    return [
        anna,
        [(event, {name: type(value) for name, value in event.fields.items()}) for event in history.events],
        history.context("device"),
        past.of("lingers"),
        list(past),
        count_active(queries, asked, span),
        list(read_active(queries, "shop", asked, span)),
    ]


async def test_every_value_and_its_type_is_the_same(client: EngineClient, embedded_warehouse: Warehouse) -> None:
    store(
        embedded_warehouse,
        event_row("hover", "phone", NOON, user="anna", price=4, quantity=2.5, device="mobile", product_id="p-1"),
        event_row(
            "hover", "anna", NOON - 5, name='Zelt "Ö"\n\t', colour="red", sizes=[1, 2.0], timezone="Europe/Berlin"
        ),
    )
    Records(embedded_warehouse).store_fires([fire(at=NOON - 1000)], NOON)
    direct = await asyncio.to_thread(everything, embedded_warehouse)
    assert direct[0] == person("anna", "phone")
    assert await asyncio.to_thread(everything, client) == direct


async def test_numbers_texts_lists_and_nothing_keep_their_types(
    client: EngineClient, embedded_warehouse: Warehouse
) -> None:
    sql = (
        "SELECT toInt64(9007199254740993), toFloat64(4), CAST(NULL, 'Nullable(Float64)'), CAST(2, 'Nullable(Float64)'),"
        " toUInt8(1), {word:String}, ['a', 'b'], toLowCardinality('low')"
    )
    (direct,) = await asyncio.to_thread(embedded_warehouse.query, sql, {"word": "naïve\x01"})
    (through,) = await asyncio.to_thread(client.query, sql, {"word": "naïve\x01"})
    assert through == direct
    assert list(map(type, through)) == list(map(type, direct))


async def test_a_query_without_rows_gives_none(client: EngineClient) -> None:
    assert await asyncio.to_thread(client.query, "SELECT visitor_id FROM events") == []


async def test_a_query_changes_nothing(client: EngineClient) -> None:
    with pytest.raises(WarehouseError):
        await asyncio.to_thread(client.query, "TRUNCATE TABLE events")
