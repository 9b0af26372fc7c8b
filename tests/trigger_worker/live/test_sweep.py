"""Reading the feed: nothing missed, nothing twice, and waits on time."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence

import pytest

from tests.trigger_worker.rules.evaluate.support import rule
from tests.trigger_worker.stored import NOON, event_row, store, visitor
from trigger_worker.live import sweep as feed_reader
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.live.sweep import OVERLAP_MS, FeedSweep, Sweep
from trigger_worker.rules.evaluate.event import LATE_MS
from trigger_worker.store import feed
from trigger_worker.store.feed import read_clock
from warehouse.connection import Row, Warehouse

RULES = LiveRules([rule("id: whatever\nwhen: any")])
ABANDONED = rule("id: abandoned\nwhen: add_to_cart -> no purchase within 15m")
WAIT_MS = 15 * 60_000


def look(reader: FeedSweep, now_ms: int, rules: LiveRules = RULES) -> Sweep:
    """Read and deal with what was found."""
    reading = reader.read(rules, now_ms)
    reader.accept(reading)
    return reading


def ids(reading: Sweep) -> list[str]:
    return [item.event_id for item in reading.news]


def due(reading: Sweep) -> dict[str, int]:
    """Return by visitor the instant, relative to noon, at which a wait of theirs is over."""
    return {
        anchor.visitor.visitor_id: anchor.ts + wait.wait_ms - NOON
        for wait, anchors in reading.due
        for anchor in anchors
    }


def test_news_is_found_once_and_oldest_first(warehouse: Warehouse) -> None:
    store(
        warehouse,
        event_row("hover", event_id="b", stored_at=NOON + 2),
        event_row("hover", event_id="a", stored_at=NOON + 3),
    )
    reader = FeedSweep(warehouse, NOON)
    assert ids(look(reader, NOON + 10)) == ["b", "a"]
    assert ids(look(reader, NOON + 20)) == []


def test_a_row_that_shows_after_a_later_one_was_read_is_found(warehouse: Warehouse) -> None:
    reader = FeedSweep(warehouse, NOON)
    store(warehouse, event_row("hover", event_id="first", stored_at=NOON + 3_000))
    assert ids(look(reader, NOON + 3_000)) == ["first"]
    store(warehouse, event_row("hover", event_id="late", stored_at=NOON + 3_000 - OVERLAP_MS + 1))
    assert ids(look(reader, NOON + 3_000)) == ["late"]
    assert ids(look(reader, NOON + 3_010)) == []


def test_what_was_not_dealt_with_is_found_again(warehouse: Warehouse) -> None:
    store(warehouse, event_row("hover", event_id="a", stored_at=NOON))
    reader = FeedSweep(warehouse, NOON)
    first, again = reader.read(RULES, NOON + 10), reader.read(RULES, NOON + 10)
    assert ids(first) == ids(again) == ["a"]
    reader.accept(again)
    assert ids(reader.read(RULES, NOON + 20)) == []


def test_an_event_that_is_stored_twice_is_news_once(warehouse: Warehouse) -> None:
    for stored_at in (NOON, NOON + 50, NOON + 500):
        store(warehouse, event_row("hover", event_id="a", stored_at=stored_at))
    reader = FeedSweep(warehouse, NOON)
    assert ids(look(reader, NOON + 100)) == ["a"]
    assert ids(look(reader, NOON + 600)) == []


def test_the_same_id_of_another_visitor_or_site_is_another_event(warehouse: Warehouse) -> None:
    store(
        warehouse,
        event_row("hover", "anna", event_id="same"),
        event_row("hover", "bob", event_id="same"),
        event_row("hover", "anna", event_id="same", site="other"),
    )
    found = {item.visitor for item in look(FeedSweep(warehouse, NOON), NOON + 10).news}
    assert found == {visitor("anna"), visitor("bob"), visitor("anna", "other")}


def test_imported_history_is_no_news(warehouse: Warehouse) -> None:
    store(warehouse, event_row("hover", source="import"))
    assert ids(look(FeedSweep(warehouse, NOON), NOON + 10)) == []


def test_an_event_whose_time_has_not_come_is_news_when_it_has(warehouse: Warehouse) -> None:
    store(warehouse, event_row("hover", at=NOON + 400, stored_at=NOON, event_id="ahead"))
    reader = FeedSweep(warehouse, NOON)
    assert ids(look(reader, NOON + 399)) == []
    assert ids(look(reader, NOON + 400)) == ["ahead"]
    assert ids(look(reader, NOON + 500)) == []


@pytest.mark.parametrize(
    "instants", [[NOON] * 23, [NOON + number // 9 for number in range(23)], range(NOON, NOON + 23)]
)
def test_more_news_than_a_tick_takes_is_found_once_over_several(
    warehouse: Warehouse, instants: Iterable[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_reader, "MAX_NEWS", 5)
    monkeypatch.setattr(feed, "PAGE", 3)
    store(warehouse, *(event_row("hover", event_id=f"e{n:02}", stored_at=at) for n, at in enumerate(instants)))
    reader = FeedSweep(warehouse, NOON)
    found: list[str] = []
    for _ in range(5):
        reading = look(reader, NOON + 100)
        found += ids(reading)
    assert sorted(found) == [f"e{n:02}" for n in range(23)]
    assert reading.complete
    assert ids(look(reader, NOON + 200)) == []


def test_what_several_writers_store_while_it_is_read_is_found_exactly_once(warehouse: Warehouse) -> None:
    written: list[str] = []

    def write(writer: int) -> None:
        for batch in range(12):
            rows = [event_row("hover", f"visitor-{n}", event_id=f"{writer}-{batch}-{n}") for n in range(20)]
            for row in rows:
                del row["ingested_at"]
            store(warehouse, *rows)
            written.extend(row["event_id"] for row in rows)

    reader = FeedSweep(warehouse, read_clock(warehouse))
    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    found: list[str] = []
    while any(writer.is_alive() for writer in writers):
        found += ids(look(reader, read_clock(warehouse)))
    for writer in writers:
        writer.join()
    found += ids(look(reader, read_clock(warehouse)))
    assert len(found) == len(set(found))
    assert set(found) == set(written)


def test_a_wait_runs_out_on_time_whatever_the_size_of_the_ticks(warehouse: Warehouse) -> None:
    rules = LiveRules([ABANDONED])
    store(
        warehouse, event_row("add_to_cart", "anna", stored_at=NOON + 20), event_row("add_to_cart", "bob", NOON + 7_000)
    )
    reader = FeedSweep(warehouse, NOON)
    assert due(look(reader, NOON + 10_000, rules)) == {}
    assert due(look(reader, NOON + WAIT_MS + 19, rules)) == {}
    assert due(look(reader, NOON + WAIT_MS + 20, rules)) == {"anna": WAIT_MS}
    assert due(look(reader, NOON + WAIT_MS + 6_999, rules)) == {}
    assert due(look(reader, NOON + WAIT_MS + 7_000, rules)) == {"bob": WAIT_MS + 7_000}
    assert due(look(reader, NOON + WAIT_MS + 60_000, rules)) == {}


def test_downtime_makes_the_slice_wider(warehouse: Warehouse) -> None:
    rules = LiveRules([ABANDONED])
    store(warehouse, *(event_row("add_to_cart", f"v{n}", NOON + n * 600_000) for n in range(6)))
    assert set(due(look(FeedSweep(warehouse, NOON + WAIT_MS), NOON + 86_400_000, rules))) == {f"v{n}" for n in range(6)}


def test_a_wait_that_was_not_dealt_with_runs_out_again(warehouse: Warehouse) -> None:
    rules = LiveRules([ABANDONED])
    store(warehouse, event_row("add_to_cart"))
    reader = FeedSweep(warehouse, NOON)
    now_ms = NOON + WAIT_MS
    assert due(reader.read(rules, now_ms)) == due(look(reader, now_ms, rules)) == {"anna": WAIT_MS}
    assert due(look(reader, now_ms + 1, rules)) == {}


def test_a_short_wait_meets_a_row_that_shows_late(warehouse: Warehouse) -> None:
    rules = LiveRules([rule("when: add_to_cart -> no purchase within 100ms")])
    reader = FeedSweep(warehouse, NOON)
    assert due(look(reader, NOON + 500, rules)) == {}
    store(warehouse, event_row("add_to_cart", at=NOON + 300, stored_at=NOON + 300))
    assert due(look(reader, NOON + 510, rules)) == {"anna": 400}


def test_a_wait_of_days_finds_what_started_it(warehouse: Warehouse) -> None:
    rules = LiveRules([rule("when: any -> no any within 14d")])
    then = NOON + 14 * 86_400_000
    store(warehouse, event_row("hover"), event_row("email_opened", "bob"))
    reader = FeedSweep(warehouse, then - 60_000)
    assert due(look(reader, then - 1, rules)) == {}
    assert due(look(reader, then, rules)) == {"anna": 14 * 86_400_000}


def test_the_wait_of_an_event_whose_time_has_not_come_starts_at_its_time(warehouse: Warehouse) -> None:
    rules = LiveRules([ABANDONED])
    store(warehouse, event_row("add_to_cart", at=NOON + 900, stored_at=NOON))
    reader = FeedSweep(warehouse, NOON)
    assert due(look(reader, NOON + WAIT_MS + 899, rules)) == {}
    assert due(look(reader, NOON + WAIT_MS + 900, rules)) == {"anna": WAIT_MS + 900}


def test_the_wait_of_an_event_that_came_late_runs_out_by_its_own_time(warehouse: Warehouse) -> None:
    rules = LiveRules([ABANDONED])
    store(warehouse, event_row("add_to_cart", at=NOON - 600_000, stored_at=NOON))
    reader = FeedSweep(warehouse, NOON)
    first = look(reader, NOON, rules)
    assert ([item.ts - NOON for item in first.news], due(first)) == ([-600_000], {})
    assert due(look(reader, NOON + 299_999, rules)) == {}
    assert due(reader.read(rules, NOON + 300_000)) == due(look(reader, NOON + 300_000, rules)) == {"anna": 300_000}
    assert due(look(reader, NOON + 300_001, rules)) == {}


def test_a_wait_whose_timer_a_restart_forgot_is_found_by_its_time_in_the_feed(warehouse: Warehouse) -> None:
    rules = LiveRules([ABANDONED])
    store(warehouse, event_row("add_to_cart", at=NOON - 600_000, stored_at=NOON))
    reader = FeedSweep(warehouse, NOON + 60_000)
    assert due(look(reader, NOON + WAIT_MS - 1, rules)) == {}
    assert due(look(reader, NOON + WAIT_MS, rules)) == {"anna": 300_000}


def test_a_timer_of_late_news_whose_rule_is_gone_asks_nobody(warehouse: Warehouse) -> None:
    store(warehouse, event_row("add_to_cart", at=NOON - 600_000, stored_at=NOON))
    reader = FeedSweep(warehouse, NOON)
    look(reader, NOON, LiveRules([ABANDONED]))
    assert due(look(reader, NOON + 300_000, RULES)) == {}


def test_a_rule_that_is_new_waits_from_now_on_and_not_for_what_was_due_before(warehouse: Warehouse) -> None:
    store(warehouse, event_row("add_to_cart", "anna"), event_row("add_to_cart", "bob", NOON + 1_000_000))
    reader = FeedSweep(warehouse, NOON)
    look(reader, NOON + WAIT_MS + 100_000)
    rules = LiveRules([ABANDONED])
    assert due(look(reader, NOON + WAIT_MS + 100_010, rules)) == {}
    assert due(look(reader, NOON + WAIT_MS + 1_000_000, rules)) == {"bob": WAIT_MS + 1_000_000}


def test_a_rule_that_joins_a_wait_disturbs_nobody(warehouse: Warehouse) -> None:
    store(warehouse, event_row("add_to_cart", "anna", NOON + 5_000), event_row("search", "bob", NOON + 6_000))
    reader = FeedSweep(warehouse, NOON)
    look(reader, NOON + WAIT_MS, LiveRules([ABANDONED]))
    both = LiveRules([ABANDONED, rule("id: searched\nwhen: search -> no select_item within 15m")])
    found = due(look(reader, NOON + WAIT_MS + 6_000, both))
    assert found == {"anna": WAIT_MS + 5_000, "bob": WAIT_MS + 6_000}


def test_between_two_looks_ahead_a_wait_asks_nothing(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = LiveRules([ABANDONED])
    reader = FeedSweep(warehouse, NOON)
    look(reader, NOON, rules)
    asked: list[str] = []
    query = warehouse.query

    def noting(sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        asked.append(sql)
        return query(sql, parameters)

    monkeypatch.setattr(warehouse, "query", noting)
    for second in range(1, 30):
        look(reader, NOON + second * 1000, rules)
    assert not [sql for sql in asked if "Anchors" in sql]
    look(reader, NOON + 31_000, rules)
    assert len([sql for sql in asked if "Anchors" in sql]) == 1


def test_the_place_to_go_on_from_is_where_all_was_dealt_with(warehouse: Warehouse) -> None:
    reader = FeedSweep(warehouse, NOON)
    assert reader.read_to <= NOON
    reading = reader.read(RULES, NOON + 100)
    assert reader.read_to <= NOON
    reader.accept(reading)
    assert reader.read_to == NOON + 100


def test_what_came_a_moment_before_a_restart_is_found_again(warehouse: Warehouse) -> None:
    store(
        warehouse,
        event_row("add_to_cart", at=NOON - LATE_MS, event_id="a"),
        event_row("add_to_cart", at=NOON - 10_000, event_id="too old"),
    )
    assert ids(look(FeedSweep(warehouse, NOON), NOON)) == ["a"]
