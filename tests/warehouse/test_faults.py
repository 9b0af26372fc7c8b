"""What senders did wrong on the last day, as it is read."""

from __future__ import annotations

import time

import msgspec

from warehouse.connection import Warehouse
from warehouse.event import format_time
from warehouse.faults import SLOT_MS, FaultKind, FaultRow, read_faults, slot_of, variety_of

DAY = 86_400_000
#: The beginning of five minutes of today: older rows go by themselves.
NOW = time.time_ns() // 1_000_000 // SLOT_MS * SLOT_MS


def put(warehouse: Warehouse, *rows: FaultRow) -> None:
    """Insert each row by itself, as it comes."""
    for number, row in enumerate(rows):
        warehouse.insert_lines("faults", msgspec.json.encode(row), f"{row.at} {row.code} {row.site} {number}")


def row(
    at: int = NOW,
    *,
    site: str = "shop",
    kind: FaultKind = "drop",
    code: str = "no_name",
    events: int = 1,
    event: str = "",
) -> FaultRow:
    example = (event, "sdk 1", "detail")
    return FaultRow(site, kind, code, slot_of(at), variety_of(*example), events, "mend it", format_time(at), *example)


def test_the_counts_of_the_last_day_are_added_up_and_no_others(warehouse: Warehouse) -> None:
    put(warehouse, row(NOW - DAY - SLOT_MS), row(NOW - DAY, events=2), row(NOW - 1, events=3), row(NOW, events=4))
    (fault,) = read_faults(warehouse, NOW)
    assert (fault.events, fault.last_at) == (9, format_time(NOW))


def test_merged_parts_count_the_same_and_keep_the_latest_examples_of_each_five_minutes(warehouse: Warehouse) -> None:
    put(warehouse, *(row(NOW + number, events=2, event=f"event {number}") for number in range(40)))
    put(warehouse, row(NOW + SLOT_MS, event="later"))
    warehouse.command("OPTIMIZE TABLE faults FINAL")
    (fault,) = read_faults(warehouse, NOW + SLOT_MS)
    assert (fault.events, fault.last_at) == (81, format_time(NOW + SLOT_MS))
    assert [example.event for example in fault.examples][:2] == ["later", "event 39"]
    for example in fault.examples[1:]:
        assert example.at == format_time(NOW + int(example.event.removeprefix("event ")))
    assert warehouse.query("SELECT count() FROM faults")[0][0] <= 9


def test_equal_examples_are_shown_once(warehouse: Warehouse) -> None:
    put(warehouse, *(row(NOW + number * SLOT_MS, event="same") for number in range(5)), row(NOW, event="other"))
    (fault,) = read_faults(warehouse, NOW + DAY // 2)
    assert [(each.at, each.event) for each in fault.examples] == [
        (format_time(NOW + 4 * SLOT_MS), "same"),
        (format_time(NOW), "other"),
    ]


def test_sites_and_kinds_are_apart_and_a_site_is_asked_alone(warehouse: Warehouse) -> None:
    put(
        warehouse,
        row(code="identity_unproven"),
        row(code="identity_unproven", kind="warning", events=5),
        row(code="too_large", events=7),
        row(site="other"),
    )
    found = [(fault.site, fault.kind, fault.code, fault.events) for fault in read_faults(warehouse, NOW)]
    assert found == [
        ("other", "drop", "no_name", 1),
        ("shop", "drop", "too_large", 7),
        ("shop", "drop", "identity_unproven", 1),
        ("shop", "warning", "identity_unproven", 5),
    ]
    assert [fault.site for fault in read_faults(warehouse, NOW, "other")] == ["other"]
    assert read_faults(warehouse, NOW, "none") == []
