"""Rows of PostHog's exports, made up after its documentation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collector.sites import Site
from micromoment.history.importer import import_file
from tests.micromoment.history.files import NOW_MS, SHOP, counts
from warehouse.connection import Warehouse

BROWSER = "0190a4c2-1111-7222-8333-444444444444"
REQUIRED = msgspec.structs.replace(SHOP, identity="required")


def row(**fields: Any) -> dict[str, Any]:
    """A row of a batch export."""
    properties = {
        "$lib": "web",
        "$device_id": BROWSER,
        "$is_identified": False,
        "$current_url": "https://shop.example/lamp?utm_source=mail",
        "$session_id": "s-1",
        "product_id": "p1",
    }
    usual = {
        "uuid": "0190a4c2-0000-7000-8000-000000000001",
        "event": "view_item",
        "distinct_id": BROWSER,
        "timestamp": "2026-10-01 10:00:00.123000",
        "properties": {**properties, **fields.pop("properties", {})},
        "team_id": 7,
        "person_properties": {"plan": "pro"},
    }
    return {**usual, **fields}


def load(warehouse: Warehouse, folder: Path, site: Site, *rows: dict[str, Any]) -> Any:
    path = folder / "posthog.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return import_file(warehouse, path, site, NOW_MS, lambda _: None)


def test_a_row_becomes_an_event_of_the_browser_that_comes_live(warehouse: Warehouse, tmp_path: Path) -> None:
    report = load(warehouse, tmp_path, REQUIRED, row())
    assert (report.stored, report.dropped, report.described) == (1, {}, "JSON lines of a PostHog export")
    columns = "event, event_id, visitor_id, user_id, toString(ts), url, session_id, product_id"
    assert list(warehouse.query(f"SELECT {columns} FROM events")) == [
        (
            *("view_item", "0190a4c2-0000-7000-8000-000000000001", f"~{BROWSER}", "", "2026-10-01 10:00:00.123"),
            *("https://shop.example/lamp?utm_source=mail", "s-1", "p1"),
        )
    ]
    assert load(warehouse, tmp_path, REQUIRED, row()).known == 1
    assert counts(warehouse) == (1, 1)


@pytest.mark.parametrize(
    ("fields", "site", "visitor", "user"),
    [
        pytest.param({}, SHOP, BROWSER, "", id="nobody is set apart"),
        pytest.param(
            {"distinct_id": "u1", "properties": {"$is_identified": True}},
            REQUIRED,
            "u1",
            "u1",
            id="an identified person",
        ),
        pytest.param(
            {"distinct_id": "u1", "properties": {"$is_identified": None}}, REQUIRED, "u1", "u1", id="of an older SDK"
        ),
        pytest.param(
            {"properties": {"$is_identified": None}}, REQUIRED, f"~{BROWSER}", "", id="a browser of an older SDK"
        ),
        pytest.param(
            {"distinct_id": "u1", "properties": {"$lib": "posthog-python", "$is_identified": None}},
            REQUIRED,
            "u1",
            "u1",
            id="a server's SDK that names a device",
        ),
        pytest.param({"distinct_id": "u1", "properties": "{}"}, REQUIRED, "u1", "u1", id="properties as text"),
    ],
)
def test_whose_an_event_is(
    embedded_warehouse: Warehouse, tmp_path: Path, fields: dict[str, Any], site: Site, visitor: str, user: str
) -> None:
    told = row() | {"properties": "{}"} | fields if fields.get("properties") == "{}" else row(**fields)
    assert load(embedded_warehouse, tmp_path, site, told).stored >= 1
    assert set(embedded_warehouse.query("SELECT visitor_id, user_id FROM events WHERE event = 'view_item'")) == {
        (visitor, user)
    }


def test_who_somebody_is_and_their_traits_are_understood(warehouse: Warehouse, tmp_path: Path) -> None:
    identified = row(
        event="$identify",
        distinct_id="u1",
        properties={"$is_identified": True, "$anon_distinct_id": BROWSER, "$set": {"email": "ann@example.com"}},
    )
    viewed = row(event="$pageview", uuid="0190a4c2-0000-7000-8000-000000000002")
    report = load(warehouse, tmp_path, REQUIRED, viewed, identified)
    assert report.dropped == {}
    assert list(warehouse.query("SELECT alias, person FROM identity")) == [(f"~{BROWSER}", "u1")]
    sql = "SELECT JSONExtractString(props, 'traits', 'email') FROM events WHERE event = 'identify'"
    assert list(warehouse.query(sql)) == [("ann@example.com",)]
    assert list(warehouse.query("SELECT visitor_id FROM events WHERE event = 'page_view'")) == [(f"~{BROWSER}",)]


@pytest.mark.parametrize("told", ["not JSON", "[1]", [1]])
def test_properties_that_cannot_be_read_are_kept_as_they_stand(
    embedded_warehouse: Warehouse, tmp_path: Path, told: object
) -> None:
    load(embedded_warehouse, tmp_path, REQUIRED, row() | {"properties": told})
    ((props,),) = embedded_warehouse.query("SELECT props FROM events")
    assert json.loads(props) == {"properties": told}


@pytest.mark.parametrize("fields", [{"event": ""}, {"distinct_id": ""}, {"timestamp": "soon"}, {"event": None}])
def test_a_row_that_tells_of_no_event_is_told(
    embedded_warehouse: Warehouse, tmp_path: Path, fields: dict[str, Any]
) -> None:
    report = load(embedded_warehouse, tmp_path, REQUIRED, row(), row(**fields))
    assert report.stored == 1
    assert report.dropped.total() == 1
