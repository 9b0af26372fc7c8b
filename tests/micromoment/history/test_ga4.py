"""Rows of Google Analytics 4 as BigQuery exports them, made up after its public schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from micromoment.history.ga4 import ga4_message
from tests.micromoment.history.files import counts, load_bytes
from warehouse.connection import Warehouse


def parameter(key: str, **value: Any) -> dict[str, Any]:
    return {"key": key, "value": value}


def row(**fields: Any) -> dict[str, Any]:
    """A purchase, as BigQuery writes it: whole numbers as text."""
    usual = {
        "event_date": "20261001",
        "event_timestamp": "1790848800123456",
        "event_name": "purchase",
        "event_bundle_sequence_id": "12",
        "batch_event_index": "1",
        "batch_page_id": "1790848800000",
        "batch_ordering_id": "3",
        "user_id": "u-17",
        "user_pseudo_id": "1234.5678",
        "event_params": [
            parameter("transaction_id", string_value="T-1"),
            parameter("value", double_value=59.8),
            parameter("currency", string_value="EUR"),
            parameter("ga_session_id", int_value="1790848000"),
            parameter("page_location", string_value="https://shop.example/thanks?x=1"),
            parameter("page_title", string_value="Thanks"),
            parameter("coupon", string_value="(not set)"),
        ],
        "ecommerce": {"transaction_id": "T-1", "purchase_revenue": 59.8, "tax_value": 9.5, "unique_items": "1"},
        "items": [{"item_id": "p1", "item_name": "Lamp", "price": "29.9", "quantity": "2", "coupon": "(not set)"}],
        "device": {
            "category": "mobile",
            "operating_system": "iOS",
            "language": "de-de",
            "web_info": {"browser": "Safari"},
        },
        "geo": {"country": "Germany", "region": "Berlin", "city": "(not set)"},
        "traffic_source": {"source": "google", "medium": "cpc", "name": "autumn"},
        "user_properties": [parameter("plan", string_value="pro")],
    }
    return {**usual, **fields}


def test_a_row_becomes_an_event(warehouse: Warehouse, tmp_path: Path) -> None:
    content = json.dumps(row()).encode() + b"\n"
    report = load_bytes(warehouse, tmp_path, content)
    assert (report.stored, report.dropped, report.described) == (1, {}, "JSON lines of a GA4 export")
    columns = (
        "event, user_id, anonymous_id, toString(ts), order_id, value, currency, coupon, url, path, title, session_id,"
        " device, os, browser, country, region, utm_source, utm_medium, utm_campaign, locale, product_id, quantity"
    )
    (stored,) = warehouse.query(f"SELECT {columns} FROM events")
    assert stored == (
        "purchase", "u-17", "1234.5678", "2026-10-01 10:00:00.123", "T-1", 59.8, "EUR", "",
        "https://shop.example/thanks?x=1", "/thanks", "Thanks", "1234.5678.1790848000",
        "mobile", "iOS", "Safari", "DE", "Berlin", "google", "cpc", "autumn", "de-de", "p1", 2.0,
    )  # fmt: skip
    assert load_bytes(warehouse, tmp_path, content).known == 1
    assert counts(warehouse) == (1, 1)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"event_timestamp": 1790848800123456}, {"timestamp": "2026-10-01T10:00:00.123Z"}),
        ({"event_timestamp": "soon"}, {"timestamp": "soon"}),
        ({"user_id": None}, {"userId": None}),
        ({"event_name": "view_search_results"}, {"event": "search"}),
        ({"batch_event_index": None}, {"messageId": None}),
        ({"event_params": None, "ecommerce": None, "items": [], "user_properties": []}, {"properties": None}),
        (
            {"traffic_source": {"source": "(direct)", "medium": "(none)", "name": "(direct)"}},
            {"context.campaign": None},
        ),
        (
            {"collected_traffic_source": {"manual_source": "mail", "manual_medium": "email"}},
            {"context.campaign": {"source": "mail", "medium": "email"}},
        ),
        ({"geo": {"country": "Türkiye"}}, {"context.location.country": "TR"}),
        ({"geo": {"country": "(not set)"}}, {"context.location": None}),
        ({"geo": None, "device": None}, {"context.location": None, "context.device": None}),
        (
            {"event_params": [parameter("percent_scrolled", int_value="90"), {"key": 5}, "x", parameter("none")]},
            {"properties.depth_pct": 90, "properties.none": None},
        ),
        ({"event_params": [parameter("f", float_value=1.5)]}, {"properties.f": 1.5, "properties.value": 59.8}),
        (
            {"items": [{"item_id": "a", "item_params": [parameter("size", string_value="L")]}, None]},
            {"properties.items": [{"size": "L", "item_id": "a"}]},
        ),
    ],
)
def test_what_a_row_says_otherwise_or_does_not_say(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    message = ga4_message(row(**fields))
    for path, value in expected.items():
        found: Any = message
        for name in path.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        assert found == value, path


def test_two_events_of_one_upload_are_two_and_the_same_rows_again_none(
    embedded_warehouse: Warehouse, tmp_path: Path
) -> None:
    other = {"event_name": "view_item", "ecommerce": None}
    rows = [row(**other, batch_event_index=str(n)) for n in (1, 2)]
    nameless = [row(**other, batch_event_index=None, event_params=[parameter("n", int_value=str(n))]) for n in (1, 2)]
    content = json.dumps([*rows, *nameless]).encode()
    assert load_bytes(embedded_warehouse, tmp_path, content).stored == 4
    assert load_bytes(embedded_warehouse, tmp_path, content).known == 4
    assert counts(embedded_warehouse) == (4, 4)
