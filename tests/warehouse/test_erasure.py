"""What ClickHouse holds of a person goes, from tables and files; what it holds of others stays: on both engines."""

from __future__ import annotations

import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.warehouse.rows import NOON, event_row, store, value
from warehouse.connection import Warehouse, connect
from warehouse.erasure import ErasingPerson, clean_up, erasing, read_tombstones, store_tombstones
from warehouse.errors import WarehouseError
from warehouse.event import format_time
from warehouse.migrations import COUNTED_FROM, keep_records_for, migrate
from warehouse.personal_tables import IMPERSONAL_TABLES, PERSONAL_TABLES
from warehouse.tombstones import Mark

ADDRESS = "anna.needle@example.com"
AT = format_time(NOON)


@pytest.fixture
def person(warehouse: Warehouse) -> Iterator[ErasingPerson]:
    with erasing(warehouse, "shop") as person:
        yield person


def insert(warehouse: Warehouse, table: str, **columns: object) -> None:
    warehouse.insert_lines(table, msgspec.json.encode(columns), uuid.uuid4().hex)


def store_person(warehouse: Warehouse, user: str, browser: str, address: str) -> None:
    """Store something about a person in every table."""
    store(
        warehouse,
        event_row(visitor_id=browser, anonymous_id=browser),
        event_row(
            event="identify", visitor_id=user, user_id=user, anonymous_id=browser, props=f'{{"email":"{address}"}}'
        ),
    )
    of = {"site": "shop", "visitor_id": user, "rule": "r"}
    message = {**of, "message_id": f"message of {user}", "fire_id": f"fire of {user}", "channel": "email"}
    insert(warehouse, "fires", **of, fire_id=f"fire of {user}", at=AT, fired_at=AT, event=address)
    insert(warehouse, "decisions", **message, verdict="send", reason="allowed", decided_at=AT, detail=address)
    insert(warehouse, "messages", **message, state="sent", at=AT, due_at=AT, recipients=[browser], content=address)
    insert(warehouse, "address_messages", **{**message, "state": "sent", "at": AT, "address": "hash"})
    insert(warehouse, "refusing_ids", site="shop", visitor_id=user, at=AT)
    insert(warehouse, "coupon_assignments", **of, pool="spring", code="SPRING-1", assigned_at=AT)


def folder_of(warehouse: Warehouse) -> Path:
    """Return where an engine of this machine keeps its files."""
    return Path(str(value(warehouse, "SELECT path FROM system.disks LIMIT 1")))


def files_with(folder: Path, *needles: str) -> list[str]:
    found = subprocess.run(["grep", "-rlaE", "|".join(needles), folder], capture_output=True, text=True, check=False)
    return found.stdout.split()


def test_every_table_is_erased_from_or_said_to_hold_nothing_personal(warehouse: Warehouse) -> None:
    sql = (
        "SELECT name FROM system.tables WHERE database = currentDatabase()"
        " AND engine NOT IN ('MaterializedView', 'View') AND name NOT LIKE 'erasing_%'"
    )
    tables = {name for (name,) in warehouse.query(sql)}
    assert tables - PERSONAL_TABLES.keys() - IMPERSONAL_TABLES.keys() == set(), "say in warehouse/personal_tables.py"
    assert (PERSONAL_TABLES.keys() | IMPERSONAL_TABLES.keys()) - tables == set()


def test_a_person_is_found_by_any_id_through_chains_of_joins(warehouse: Warehouse, person: ErasingPerson) -> None:
    for at, (alias, owner) in enumerate([("phone", "guest-1"), ("guest-1", "anna"), ("tablet", "anna"), ("pc", "bob")]):
        store(warehouse, event_row(visitor_id=owner, user_id=owner, anonymous_id=alias, at=at))
    # The tablet is bob's by now.
    store(warehouse, event_row(visitor_id="bob", user_id="bob", anonymous_id="tablet", at=10))
    assert person.find_ids("phone") == ["anna", "guest-1", "phone"]
    with erasing(warehouse, "shop") as again:
        assert again.find_ids("anna") == ["anna", "guest-1", "phone"]
    with erasing(warehouse, "other") as elsewhere:
        assert elsewhere.find_ids("anna") == ["anna"]


def test_an_id_that_everybody_has_is_no_person(warehouse: Warehouse, person: ErasingPerson) -> None:
    rows = [event_row(visitor_id="guest", user_id="guest", anonymous_id=f"browser-{n}") for n in range(12)]
    store(warehouse, *rows)
    with pytest.raises(WarehouseError, match="too many for a person"):
        person.find_ids("browser-1", most=10)
    assert value(warehouse, "SELECT count() FROM events") == 12


def test_nothing_of_a_person_is_left_in_any_table_or_file(warehouse: Warehouse, person: ErasingPerson) -> None:
    store_person(warehouse, "anna-needle", "anna-needle-browser", ADDRESS)
    store_person(warehouse, "bob", "bob-browser", "bob@example.com")
    folder = folder_of(warehouse)
    assert files_with(folder, "anna-needle", ADDRESS)
    person.find_ids("anna-needle-browser")
    assert person.message_ids() == ["message of anna-needle"]
    counted = person.count()
    assert all(counted.values()), counted
    person.erase(counted)
    assert not any(person.count().values())
    assert files_with(folder, "anna-needle", "anna.needle") == []
    with erasing(warehouse, "shop") as bob:
        bob.find_ids("bob")
        assert all(bob.count().values())
    assert b"bob@example.com" in b"".join((folder / file).read_bytes() for file in files_with(folder, "bob@example"))


def test_a_code_that_was_given_out_is_not_given_again(warehouse: Warehouse, person: ErasingPerson) -> None:
    store_person(warehouse, "anna", "browser", ADDRESS)
    person.find_ids("anna")
    person.erase(person.count())
    assert list(warehouse.query("SELECT visitor_id, code FROM coupon_assignments")) == [("", "SPRING-1")]


def test_rows_of_somebody_else_stay_without_the_shared_browser(warehouse: Warehouse, person: ErasingPerson) -> None:
    store_person(warehouse, "bob", "shared", "bob@example.com")
    store(warehouse, event_row(visitor_id="anna", user_id="anna", anonymous_id="shared", at=60_000))
    assert person.find_ids("anna") == ["anna", "shared"]
    person.erase(person.count())
    assert value(warehouse, "SELECT groupUniqArray(anonymous_id) FROM events WHERE visitor_id = 'bob'") == [""]
    assert value(warehouse, "SELECT groupUniqArray(recipients) FROM messages WHERE visitor_id = 'bob'") == [[]]
    assert value(warehouse, "SELECT count() FROM events WHERE anonymous_id = 'shared'") == 0


def test_an_export_has_every_column_of_every_table(warehouse: Warehouse, person: ErasingPerson) -> None:
    store_person(warehouse, "anna", "browser", ADDRESS)
    person.find_ids("browser")
    for table in PERSONAL_TABLES:
        rows = [msgspec.json.decode(line) for line in person.export(table)]
        columns = [name for name, *_ in warehouse.query(f"DESCRIBE TABLE {table}")]
        assert rows, table
        assert all(list(row) == columns for row in rows), table
    assert ADDRESS.encode() in b"".join(person.export("events"))
    assert [len(person.export("events", first)) for first in (0, 1, 2)] == [2, 1, 0]


def test_the_settings_of_tables_are_as_before(warehouse: Warehouse, person: ErasingPerson) -> None:
    sql = "SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase() ORDER BY name"
    store_person(warehouse, "anna", "browser", ADDRESS)
    before = list(warehouse.query(sql))
    person.find_ids("anna")
    person.erase(person.count())
    assert list(warehouse.query(sql)) == before


def test_a_person_with_a_hundred_thousand_events_is_gone_within_ten_seconds(
    warehouse: Warehouse, person: ErasingPerson
) -> None:
    warehouse.command(
        "INSERT INTO events (site, visitor_id, user_id, anonymous_id, ts, event_id, event, type, received_at, source,"
        " props) SELECT 'shop', if(number % 2 = 0, 'anna', toString(number % 900)), '', '',"
        " now64(3) - toIntervalSecond(number * 60), toString(number), 'hover', 'track', now64(3), 'live',"
        " if(number % 2 = 0, '{\"email\":\"anna.needle@example.com\"}', '{}') FROM numbers(200000)"
    )
    person.find_ids("anna")
    started = time.monotonic()
    counted = person.count()
    assert counted["events"] == 100_000
    person.erase(counted)
    took = time.monotonic() - started
    print(f"{took:.1f} s")
    assert not any(person.count().values())
    assert took < 10 * 3, "three times of what a machine of its own may take: here others work as well"


def test_tombstones_are_stored_until_their_time_is_over(warehouse: Warehouse) -> None:
    now_ms = time.time_ns() // 1_000_000
    store_tombstones(warehouse, [Mark("a", now_ms), Mark("b", now_ms - 1000)], now_ms + 86_400_000)
    store_tombstones(warehouse, [Mark("a", now_ms + 5)], now_ms + 86_400_000)
    store_tombstones(warehouse, [Mark("over", now_ms)], now_ms - 86_400_000)
    store_tombstones(warehouse, [], now_ms)
    assert sorted(read_tombstones(warehouse), key=lambda one: one.mark) == [
        Mark("a", now_ms + 5),
        Mark("b", now_ms - 1000),
    ]
    assert read_tombstones(warehouse, now_ms) == [Mark("a", now_ms + 5)]


def test_records_are_kept_as_long_as_the_setting_says(unmade_dsn: str) -> None:
    with connect(unmade_dsn) as warehouse:
        migrate(warehouse)
        assert keep_records_for(warehouse, 400) == []
        assert sorted(keep_records_for(warehouse, 30)) == sorted(COUNTED_FROM)
        assert keep_records_for(warehouse, 30) == []
        insert(warehouse, "fires", site="s", visitor_id="v", fire_id="old", at=AT, fired_at="2020-01-01 00:00:00.000")
        warehouse.command("OPTIMIZE TABLE fires FINAL")
        assert value(warehouse, "SELECT count() FROM fires") == 0


def test_what_a_crash_left_of_an_erasure_is_taken_back(unmade_dsn: str) -> None:
    with connect(unmade_dsn) as warehouse:
        migrate(warehouse)
        tables = "SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase() ORDER BY name"
        before = list(warehouse.query(tables))
        store(warehouse, event_row(visitor_id="anna"))
        warehouse.command("CREATE TABLE erasing_left (site String, id String) ENGINE = Memory")
        warehouse.command("ALTER TABLE events MODIFY SETTING old_parts_lifetime = 0, fsync_part_directory = 1")
        never_done = "throwIf((site, visitor_id) NOT IN (SELECT * FROM erasing_left)) SETTINGS mutations_sync = 0"
        warehouse.command(f"ALTER TABLE events DELETE WHERE {never_done}")
        clean_up(warehouse, 3_600)
        assert value(warehouse, "EXISTS TABLE erasing_left") == 1
        clean_up(warehouse, 0)
        assert list(warehouse.query(tables)) == before
        with erasing(warehouse, "shop") as person:
            person.find_ids("anna")
            person.erase(person.count())
            assert not any(person.count().values())
