"""Tables: CSV and TSV, by the names of their columns and by a mapping."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from micromoment.history.mapping import TableMapping, read_mapping
from tests.micromoment.history.files import counts, load_bytes
from warehouse.connection import Warehouse
from warehouse.errors import ConfigurationError

EVENTS = """user_id,event,timestamp,product_id,price
u1,view_item,2026-10-01T10:00:00Z,p1,12.50
u2,hover,2026-10-01T11:00:00Z,p2,3
"""


def events(warehouse: Warehouse, columns: str = "user_id, event, product_id, price") -> list[tuple[Any, ...]]:
    return list(warehouse.query(f"SELECT {columns} FROM events ORDER BY ts, event"))


EXPECTED = [("u1", "view_item", "p1", 12.5), ("u2", "hover", "p2", 3.0)]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(EVENTS.encode(), id="CSV"),
        pytest.param(EVENTS.replace(",", "\t").encode(), id="TSV"),
        pytest.param(EVENTS.replace(",", ";").replace("12.50", "12,50").encode(), id="semicolons and decimal comma"),
        pytest.param(EVENTS.replace(",", "|").encode(), id="bars"),
        pytest.param(("sep=;\n" + EVENTS.replace(",", ";")).encode(), id="Excel's first line"),
        pytest.param(EVENTS.replace("\n", "\r\n").encode("utf-8-sig"), id="a mark and CRLF"),
        pytest.param(EVENTS.encode("utf-16"), id="UTF-16"),
        pytest.param(gzip.compress(EVENTS.encode()), id="gzip"),
        pytest.param(
            EVENTS.replace("user_id", "User ID").replace("event,", "Event Name,").encode(), id="other headers"
        ),
        pytest.param(EVENTS.replace("u1", '"u1"').replace("12.50", '"12.50"').encode(), id="quotation marks"),
        pytest.param(EVENTS.replace("\nu2", "\n\n,,,,\nu2").encode(), id="blank rows"),
        pytest.param(EVENTS.replace("12.50", " $ 12.50 ").encode(), id="a currency sign"),
    ],
)
def test_a_table_with_known_columns_is_read(warehouse: Warehouse, tmp_path: Path, content: bytes) -> None:
    report = load_bytes(warehouse, tmp_path, content)
    assert (report.stored, report.dropped) == (2, {}), report.examples
    assert events(warehouse) == EXPECTED
    assert load_bytes(warehouse, tmp_path, content).known == 2
    assert counts(warehouse) == (2, 2)


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [
        ("12,5", "", 12.5),
        ("1.234,56", "", 1234.56),
        ("1.234.567,8", "", 1234567.8),
        ("1 234,50", "", 1234.5),
        ("-3,20", "", -3.2),
        ("12,50 €", "", 12.5),
        ("1,234.50", "", 1234.5),
        ("1,234", "", 1234.0),
        ("1,234", ",", 1.234),
        ("1.234", ",", 1234.0),
        ("1.234", "", 1.234),
        ("12.5", ",", 12.5),
        ("1e3", "", 1000.0),
        ("", "", None),
        ("free", "", None),
    ],
)
def test_numbers_are_read_as_they_are_written(
    embedded_warehouse: Warehouse, tmp_path: Path, text: str, decimal: Any, number: float | None
) -> None:
    content = f"user_id;event;timestamp;price\nu1;hover;2026-10-01T10:00:00Z;{text}\n"
    load_bytes(embedded_warehouse, tmp_path, content.encode(), mapping=TableMapping(decimal=decimal))
    assert events(embedded_warehouse, "price") == [(number,)]
    if text == "free":
        assert events(embedded_warehouse, "props") == [('{"price":"free"}',)]


def test_values_over_several_lines_and_with_quotation_marks_are_whole(
    embedded_warehouse: Warehouse, tmp_path: Path
) -> None:
    first = 'u1,hover,2026-10-01T10:00:00Z,"one, ""two""\n\nthree"\n'
    content = f"user_id,event,timestamp,note\n{first}u2,hover,2026-10-01T11:00:00Z,x\n"
    report = load_bytes(embedded_warehouse, tmp_path, content.encode())
    assert report.stored == 2
    notes = [json.loads(props)["note"] for (props,) in events(embedded_warehouse, "props")]
    assert notes == ['one, "two"\n\nthree', "x"]


def test_rows_that_cannot_be_read_are_told_by_line_and_spoil_nothing_else(
    embedded_warehouse: Warehouse, tmp_path: Path
) -> None:
    content = (
        EVENTS
        + "u3,hover,2026-10-01T12:00:00Z,p3,1,more\nu4,hover,yesterday,p4,1\nu5,hover\n,hover,2026-10-01T12:00:00Z\n"
    )
    report = load_bytes(embedded_warehouse, tmp_path, content.encode())
    assert (report.stored, report.lines) == (2, 6)
    assert report.dropped == {"malformed": 1, "no_timestamp": 2, "no_visitor": 1}
    assert report.examples[0] == "line 4: malformed: 6 values, where the header names 5 columns"


def test_a_quotation_mark_that_is_left_open_costs_a_bounded_part(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    rows = "".join(f"u{n},hover,2026-10-01T10:00:00Z,{'x' * 100}\n" for n in range(20_000))
    content = f'user_id,event,timestamp,note\nu,hover,2026-10-01T10:00:00Z,"open\n{rows}'
    report = load_bytes(embedded_warehouse, tmp_path, content.encode())
    assert report.dropped == {"malformed": 1}
    assert "is a quotation mark left open?" in report.examples[0]
    assert report.stored > 10_000


MAPPING = """
columns:
  Kunde: userId
  Zeit: timestamp
  Aktion: event
  Artikel: properties.product_id
  Preis: properties.price
  Farbe: colour
  Geheim: ignore
  Land: context.location.country
constants:
  properties.currency: EUR
events:
  Angesehen: view_item
timezone: Europe/Berlin
time_format: "%d.%m.%Y %H:%M"
"""
TOML = """
timezone = "Europe/Berlin"
time_format = "%d.%m.%Y %H:%M"
[columns]
Kunde = "user_id"
Zeit = "timestamp"
Aktion = "event"
Artikel = "product_id"
Preis = "price"
Farbe = "properties.colour"
Geheim = "ignore"
Land = "context.location.country"
[constants]
currency = "EUR"
[events]
Angesehen = "view_item"
"""


@pytest.mark.parametrize(("name", "text"), [("mapping.yaml", MAPPING), ("mapping.toml", TOML)])
def test_a_mapping_says_what_columns_mean(warehouse: Warehouse, tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    content = (
        "Kunde;Zeit;Aktion;Artikel;Preis;Farbe;Geheim;Land;Weiteres\n"
        "k1;01.07.2026 14:30;Angesehen;a1;1.299,90;rot;x;DE;y\n"
    )
    report = load_bytes(warehouse, tmp_path, content.encode("utf-8"), mapping=read_mapping(tmp_path / name))
    assert (report.stored, report.dropped) == (1, {})
    ((*columns, props),) = events(
        warehouse, "user_id, toString(ts), event, product_id, price, currency, country, props"
    )
    assert columns == ["k1", "2026-07-01 12:30:00.000", "view_item", "a1", 1299.9, "EUR", "DE"]
    assert json.loads(props) == {"colour": "rot", "Weiteres": "y"}


ORDERS = (
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\n"
    "1001,A,Lamp,2,2026-10-01 10:00:00,10.00,17\n"
    "1001,B,Bulb,1,2026-10-01 10:00:00,2.50,17\n"
    "1002,A,Lamp,1,2026-10-02 10:00:00,10.00,18\n"
)


def test_lines_of_orders_become_a_purchase_for_each_order(warehouse: Warehouse, tmp_path: Path) -> None:
    report = load_bytes(warehouse, tmp_path, ORDERS.encode())
    assert (report.stored, report.dropped) == (2, {})
    rows = events(warehouse, "event, user_id, order_id, value, JSONExtractRaw(props, 'items')")
    assert [row[:4] for row in rows] == [("purchase", "17", "1001", 22.5), ("purchase", "18", "1002", 10.0)]
    assert json.loads(rows[0][4]) == [
        {"product_id": "A", "name": "Lamp", "quantity": 2.0, "price": 10.0},
        {"product_id": "B", "name": "Bulb", "quantity": 1.0, "price": 2.5},
    ]
    assert load_bytes(warehouse, tmp_path, ORDERS.encode()).known == 2


def test_a_table_of_people_tells_who_they_are(warehouse: Warehouse, tmp_path: Path) -> None:
    content = "customer_id,email,first_name,created_at,plan\n17,ann@example.com,Ann,2026-10-01T10:00:00Z,pro\n"
    assert load_bytes(warehouse, tmp_path, content.encode()).stored == 1
    ((event, user, props),) = events(warehouse, "event, user_id, props")
    assert (event, user) == ("identify", "17")
    assert json.loads(props)["traits"] == {"email": "ann@example.com", "first_name": "Ann", "plan": "pro"}


@pytest.mark.parametrize(
    ("content", "mapping", "message", "remedy"),
    [
        (
            "name;price\nx;1\n",
            {},
            "when it happened (timestamp), what happened (event)\n  the header is: name, price",
            "--mapping mapping.yaml",
        ),
        (
            "a,b\n1,2\n",
            {"columns": {"c": "userId"}},
            "names columns that are not there: c\n  the header is: a, b",
            "capital",
        ),
        (
            "a,b\n1,2\n",
            {"columns": {"a": "items"}},
            "the mapping names 'items', which is no part of an event",
            "userId",
        ),
        ("a,b\n1,2\n", {"columns": {"a": "traits.x.y"}}, "the mapping names 'traits.x.y'", "traits.NAME"),
        ("a,b\n1,2\n", {"one_event_by": "z"}, "names columns that are not there: z", "capital"),
        ("a,b\n1,2\n", {"delimiter": "::"}, "delimiter", "one character"),
        (EVENTS, {"timezone": "Mars/Olympus"}, "names no zone: 'Mars/Olympus'", "Europe/Berlin"),
    ],
)
def test_a_table_that_says_too_little_is_refused_with_its_header_and_the_remedy(
    embedded_warehouse: Warehouse, tmp_path: Path, content: str, mapping: dict[str, Any], message: str, remedy: str
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load_bytes(embedded_warehouse, tmp_path, content.encode(), mapping=TableMapping(**mapping))
    assert message in raised.value.message
    assert remedy in raised.value.hint


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("m.yaml", "colums: {}", "unknown field `colums`"),
        ("m.yaml", "columns: [a", "while parsing"),
        ("m.yaml", "decimal: x", "Invalid enum value 'x' - at `$.decimal`"),
        ("m.toml", "columns = 3", "Expected `object`, got `int` - at `$.columns`"),
        ("m.toml", "columns", "Expected '='"),
    ],
)
def test_a_mapping_that_cannot_be_read_is_told(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        read_mapping(tmp_path / name)
    assert message in raised.value.message
    assert name in raised.value.message
