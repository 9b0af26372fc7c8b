"""The tables that users may query, and what fills them."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from tests.warehouse.rows import NOON, event_row, store, value
from trigger_worker.rules.language.duration import DAY_MS, LONGEST_WINDOW_MS
from warehouse.connection import Warehouse
from warehouse.event import EventRow, format_time
from warehouse.vocabulary import COLUMN_FIELDS

#: The columns that the design promises to those who write SQL.
PUBLIC_COLUMNS = {
    "events": """site event type event_id visitor_id anonymous_id user_id session_id seq ts received_at path url
        referrer page_type product_id category price quantity value currency order_id search_term duration_ms depth_pct
        device os browser country region timezone locale utm_source utm_medium utm_campaign props""",
    "fires": "fire_id site rule version visitor_id key at fired_at",
    "decisions": """message_id fire_id site rule visitor_id channel template arm verdict reason detail decided_at""",
    "messages": "message_id fire_id site rule visitor_id channel state at detail retries",
    "rule_versions": "rule version source first_seen_at",
}
PERSON = "SELECT person FROM identity FINAL WHERE site = 'shop' AND alias = {alias:String}"
ALIASES = "SELECT alias FROM identity_by_person FINAL WHERE site = 'shop' AND person = {person:String} ORDER BY alias"
DAILY = "SELECT uniqMerge(events) FROM visitor_daily WHERE visitor_id = 'ada' AND event = 'page_view'"


def columns(warehouse: Warehouse, table: str) -> dict[str, str]:
    sql = "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String}"
    return dict(warehouse.query(sql, {"table": table}))


@pytest.mark.parametrize("table", PUBLIC_COLUMNS)
def test_every_public_column_is_there(warehouse: Warehouse, table: str) -> None:
    assert set(PUBLIC_COLUMNS[table].split()) - set(columns(warehouse, table)) == set()


@pytest.mark.parametrize("table", ["event_feed", "identity", "visitor_daily", "worker_cursor"])
def test_the_other_tables_of_the_design_are_there(warehouse: Warehouse, table: str) -> None:
    assert value(warehouse, f"EXISTS TABLE {table}") == 1


def test_a_row_has_a_field_for_every_column_but_the_stamped_one(warehouse: Warehouse) -> None:
    assert set(EventRow.__struct_fields__) == set(columns(warehouse, "events")) - {"ingested_at"}


def test_every_field_that_rules_read_has_a_column_of_its_kind(warehouse: Warehouse) -> None:
    kinds = {"text": ("String", "LowCardinality(String)"), "number": ("Nullable(Float64)",)}
    found = columns(warehouse, "events")
    for name, kind in COLUMN_FIELDS.items():
        assert found[name] in kinds[kind], name


def test_a_full_row_comes_back_as_it_went_in(warehouse: Warehouse) -> None:
    texts = {name: f"{name}: it's {{x}} \\ \U0001f600 \u2028" for name, kind in COLUMN_FIELDS.items() if kind == "text"}
    numbers = {name: 0.1 + index for index, (name, kind) in enumerate(COLUMN_FIELDS.items()) if kind == "number"}
    row = event_row(anonymous_id="a", user_id="u", seq=2**32 - 1, props='{"a":[1,"\\u0000"]}', **texts, **numbers)
    store(warehouse, row)
    fields = EventRow.__struct_fields__
    (found,) = warehouse.query(f"SELECT {', '.join(f'`{name}`' for name in fields)} FROM events")
    stored = dict(zip(fields, found, strict=True))
    assert {name: stored[name] for name in (*texts, *numbers)} == {**texts, **numbers}
    assert (stored["seq"], stored["props"], stored["retention_days"]) == (2**32 - 1, row.props, 400)
    assert value(warehouse, "SELECT toString(ts) FROM events") == row.ts


def test_what_a_row_leaves_out_is_empty_text_or_null(warehouse: Warehouse) -> None:
    store(warehouse, event_row())
    for name, kind in COLUMN_FIELDS.items():
        assert value(warehouse, f"SELECT {name} FROM events") == ("" if kind == "text" else None), name


def test_an_event_that_arrived_twice_is_one_after_merging(warehouse: Warehouse) -> None:
    row = event_row(event_id="again")
    store(warehouse, row)
    store(warehouse, row)
    assert value(warehouse, "SELECT count() FROM events FINAL") == 1


def test_the_feed_has_live_events_and_leaves_imports_out(warehouse: Warehouse) -> None:
    store(warehouse, event_row(event_id="live"), event_row(event_id="old", source="import"))
    assert list(warehouse.query("SELECT event_id, visitor_id, event FROM event_feed")) == [("live", "ada", "page_view")]
    assert value(warehouse, "SELECT count() FROM events") == 2


def test_the_feed_is_stamped_when_events_are_stored_and_not_when_they_happened(warehouse: Warehouse) -> None:
    store(warehouse, event_row(at=-86_400_000))
    (row,) = warehouse.query("SELECT dateDiff('second', ingested_at, now64(3)) < 60, toString(ts) FROM event_feed")
    assert row == (1, format_time(NOON - 86_400_000))


def test_an_anonymous_visitor_is_linked_by_an_event_that_names_both(warehouse: Warehouse) -> None:
    store(warehouse, event_row(anonymous_id="cookie"), event_row(anonymous_id="cookie", user_id="ada", at=1))
    assert value(warehouse, PERSON, alias="cookie") == "ada"
    assert list(warehouse.query(ALIASES, {"person": "ada"})) == [("cookie",)]


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two batches"])
@pytest.mark.parametrize("reverse", [True, False], ids=["late arrival", "in order"])
def test_the_latest_word_on_who_a_visitor_is_wins(warehouse: Warehouse, together: bool, reverse: bool) -> None:
    rows = [
        event_row(anonymous_id="shared tablet", user_id="ada", at=1000),
        event_row(anonymous_id="shared tablet", user_id="ben", at=2000),
    ]
    rows = rows[::-1] if reverse else rows
    for batch in [rows] if together else [[row] for row in rows]:
        store(warehouse, *batch)
    assert value(warehouse, PERSON, alias="shared tablet") == "ben"


def test_an_alias_that_moved_on_is_still_found_by_its_former_person(warehouse: Warehouse) -> None:
    store(warehouse, event_row(anonymous_id="tablet", user_id="ada", at=1))
    store(warehouse, event_row(anonymous_id="tablet", user_id="ben", at=2))
    assert [list(warehouse.query(ALIASES, {"person": person})) for person in ("ada", "ben")] == [[("tablet",)]] * 2


@pytest.mark.parametrize(
    "ids", [{"user_id": "ada"}, {"anonymous_id": "cookie"}, {"user_id": "ada", "anonymous_id": "ada"}], ids=str
)
def test_an_event_that_does_not_name_two_ids_links_nobody(warehouse: Warehouse, ids: dict[str, str]) -> None:
    store(warehouse, event_row(**ids))
    assert value(warehouse, "SELECT count() FROM identity") == 0
    assert value(warehouse, "SELECT count() FROM identity_by_person") == 0


def test_identities_of_two_sites_are_apart(warehouse: Warehouse) -> None:
    store(warehouse, event_row(site="other", anonymous_id="cookie", user_id="eve"))
    assert list(warehouse.query(PERSON, {"alias": "cookie"})) == []


def test_the_rollup_counts_an_event_once_however_often_it_is_stored(warehouse: Warehouse) -> None:
    rows = [event_row(event_id=f"e{number}", at=number) for number in range(3)]
    for _ in range(3):
        store(warehouse, *rows)
    assert value(warehouse, DAILY) == 3


def test_the_rollup_keeps_the_first_and_last_moment_of_each_day(warehouse: Warehouse) -> None:
    store(warehouse, event_row(at=5), event_row(at=50))
    store(warehouse, event_row(at=-5), event_row(at=86_400_000))
    sql = """SELECT day, toString(min(first_ts)), toString(max(last_ts)), uniqMerge(events)
             FROM visitor_daily GROUP BY day ORDER BY day"""
    assert list(warehouse.query(sql)) == [
        (date(2026, 11, 22), format_time(NOON - 5), format_time(NOON + 50), 3),
        (date(2026, 11, 23), format_time(NOON + 86_400_000), format_time(NOON + 86_400_000), 1),
    ]


def test_imports_reach_the_rollup(warehouse: Warehouse) -> None:
    store(warehouse, event_row(source="import"))
    assert value(warehouse, DAILY) == 1


def test_a_row_writes_only_what_it_holds() -> None:
    written = msgspec.json.decode(msgspec.json.encode(event_row(price=0.0, path="/")))
    assert set(written) == {
        *("site", "event", "type", "event_id", "visitor_id", "ts", "received_at", "source"),
        *("price", "path"),
    }


def test_the_feed_is_kept_longer_than_the_longest_wait_of_a_rule(warehouse: Warehouse) -> None:
    sql = "SELECT extract(engine_full, 'TTL .*toIntervalDay\\\\((\\\\d+)\\\\)') FROM system.tables"
    ((days,),) = warehouse.query(f"{sql} WHERE database = currentDatabase() AND name = 'event_feed'")
    assert int(days) * DAY_MS > LONGEST_WINDOW_MS
