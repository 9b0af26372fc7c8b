"""Times and zones of imported lines, as they are stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from micromoment.history.mapping import TableMapping
from tests.micromoment.history.files import line, load_bytes
from warehouse.connection import Warehouse

READ: dict[str, Any] = {
    "2026-11-20 01:02:03.000": [
        *("2026-11-20T01:02:03Z", "2026-11-20 01:02:03+00", "2026-11-20 01:02:03 UTC", "20261120T010203Z"),
        *("Fri, 20 Nov 2026 01:02:03 GMT", "Fri Nov 20 2026 02:02:03 GMT+0100 (CET)", "1795136523000"),
        *(1_795_136_523, 1_795_136_523_000_000, {"$date": 1_795_136_523_000}, "2026-11-20T06:32:03+05:30"),
    ],
    "2026-11-20 00:00:00.000": ["2026-11-20", "20261120"],
    "2026-11-20 01:02:00.000": ["2026-11-20T01:02Z"],
}
UNREAD: list[Any] = ["11/12/2026", "yesterday", 0, "1763600", "2026-02-30", [], True]


def test_every_form_is_stored_at_its_time_and_what_is_none_is_dropped_with_line_and_remedy(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    told = [(at, said) for at, forms in READ.items() for said in forms]
    lines = [line(number, messageId=f"{at} {number}", timestamp=said) for number, (at, said) in enumerate(told)]
    wrong = [line(100 + number, timestamp=said) for number, said in enumerate(UNREAD)]
    content = "\n".join(json.dumps(each) for each in [*wrong, *lines]).encode()
    report = load_bytes(warehouse, tmp_path, content)
    assert (report.stored, report.dropped) == (len(told), {"no_timestamp": len(UNREAD)})
    stored = list(warehouse.query("SELECT event_id, toString(ts), untimed FROM events"))
    assert [event_id for event_id, at, untimed in stored if not event_id.startswith(at) or untimed] == []
    assert report.examples[0].startswith("line 1: no_timestamp: ")
    assert "write it as 2026-11-22" in report.examples[0]


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("2026-11-20 01:02:03", "2026-11-20 00:02:03.000"),
        ("2026/11/20 01:02", "2026-11-20 00:02:00.000"),
        ("20 Nov 2026", "2026-11-19 23:00:00.000"),
        ("20260720010203", "2026-07-19 23:02:03.000"),
        ("2026-11-20 01:02:03 UTC", "2026-11-20 01:02:03.000"),
        ("1795136523", "2026-11-20 01:02:03.000"),
    ],
)
def test_a_table_says_in_which_zone_its_clocks_are(
    embedded_warehouse: Warehouse, tmp_path: Path, said: str, stored: str
) -> None:
    content = f"user_id;event;time\nann;view_item;{said}\n".encode()
    load_bytes(embedded_warehouse, tmp_path, content, mapping=TableMapping(timezone="Europe/Berlin"))
    assert list(embedded_warehouse.query("SELECT toString(ts) FROM events")) == [(stored,)]


def test_zones_are_stored_with_their_countries_and_properties_are_the_events_own(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    zones = ("Asia/Calcutta", "Europe/Kiev", "US/Eastern", "europe/berlin", "CET", "Mars/Base")
    lines = [line(n, context={"timezone": zone}, properties={"country": "IT"}) for n, zone in enumerate(zones)]
    load_bytes(warehouse, tmp_path, "\n".join(map(json.dumps, lines)).encode())
    sql = "SELECT timezone, country, JSONExtractString(props, 'country') FROM events ORDER BY ts"
    assert list(warehouse.query(sql)) == [
        ("Asia/Calcutta", "IN", "IT"),
        ("Europe/Kiev", "UA", "IT"),
        ("US/Eastern", "US", "IT"),
        ("Europe/Berlin", "DE", "IT"),
        ("CET", "", "IT"),
        ("Mars/Base", "", "IT"),
    ]
