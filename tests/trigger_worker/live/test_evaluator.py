"""What fires of candidates, and how much is asked of ClickHouse for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from trigger_worker.live.evaluator import Evaluator

from tests.trigger_worker.rules.evaluate.support import rule
from tests.trigger_worker.stored import NOON, event_row, store
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.live.sweep import FeedSweep
from trigger_worker.store.fires import Fire
from trigger_worker.store.records import Records
from warehouse.connection import Row, Warehouse

HOUR_MS = 3_600_000
MINUTE_MS = 60_000


class Asking:
    """An evaluator with its feed, and the statements that it runs.

    Args:
        warehouse: where events are stored.
        texts: the rules.
    """

    def __init__(self, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, *texts: str) -> None:
        self.rules = LiveRules([rule(text) for text in texts])
        self.statements: list[str] = []
        self._warehouse = warehouse
        self._evaluator = Evaluator(warehouse)
        self._reader = FeedSweep(warehouse, NOON - MINUTE_MS)
        query = warehouse.query

        def noted(sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
            self.statements.append(sql)
            return query(sql, parameters)

        monkeypatch.setattr(warehouse, "query", noted)

    def at(self, now_ms: int) -> list[Fire]:
        """Evaluate what is new and due at an instant, store what fires and return it."""
        self.statements.clear()
        reading = self._reader.read(self.rules, now_ms)
        fires = [fire for _, fire in self._evaluator.evaluate(self.rules, reading, now_ms)]
        Records(self._warehouse).store_fires(fires, now_ms)
        self._reader.accept(reading)
        return fires

    def readings_of(self, comment: str) -> int:
        """Return how many of the last statements begin with a comment."""
        return sum(sql.startswith(f"-- {comment}") for sql in self.statements)


def named(fires: Sequence[Fire]) -> list[tuple[str, str, int]]:
    return sorted((fire.rule, fire.visitor_id, fire.at - NOON) for fire in fires)


def test_a_firing_carries_the_whole_event_that_completed_it(
    embedded_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = Asking(embedded_warehouse, monkeypatch, "id: lingers\nwhen: hover[duration >= 3s]")
    store(embedded_warehouse, event_row("hover", event_id="e1", duration_ms=3000, name="Tent", colour="red"))
    (fire,) = asking.at(NOON + 10)
    assert fire.event == {"event": "hover", "event_id": "e1", "duration_ms": 3000.0, "name": "Tent", "colour": "red"}
    assert asking.at(NOON + 20) == []


def test_a_person_is_asked_about_under_all_ids_at_once(
    embedded_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = Asking(embedded_warehouse, monkeypatch, "id: returns\nwhen: view_item -> add_to_cart within 2m")
    store(embedded_warehouse, event_row("login", "phone", NOON - HOUR_MS, user="u1"))
    store(embedded_warehouse, event_row("login", "laptop", NOON - HOUR_MS, user="u1"))
    store(embedded_warehouse, event_row("view_item", "phone"), event_row("add_to_cart", "laptop", NOON + 1))
    assert named(asking.at(NOON + 10)) == [("returns", "u1", 1)]


def test_what_fired_lately_keeps_a_rule_from_firing_again(
    embedded_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = Asking(embedded_warehouse, monkeypatch, "id: lingers\nwhen: hover\nevery: 1h")
    for after, fires in ((0, 1), (HOUR_MS - 1, 0), (HOUR_MS, 1)):
        store(embedded_warehouse, event_row("hover", at=NOON + after))
        assert len(asking.at(NOON + after + 10)) == fires


def test_one_visitors_late_news_makes_no_query_about_the_others_go_back(
    embedded_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = Asking(embedded_warehouse, monkeypatch, "id: lingers\nwhen: hover\nevery: 0s")
    store(embedded_warehouse, event_row("hover", "anna", NOON - HOUR_MS, stored_at=NOON), event_row("hover", "bob"))
    assert named(asking.at(NOON + 10)) == [("lingers", "anna", -HOUR_MS), ("lingers", "bob", 0)]
    # What is new about each, then the history of each.
    assert asking.readings_of("The candidates' rows") == 4


def test_the_history_of_who_goes_on_is_read_once(
    embedded_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = Asking(embedded_warehouse, monkeypatch, "id: third\nwhen: hover\nif: count(hover, 1h) == 3\nevery: 0s")
    fired = []
    for after in range(4):
        store(embedded_warehouse, event_row("hover", at=NOON + after))
        fired.append((len(asking.at(NOON + after)), asking.readings_of("The candidates' rows")))
    assert fired == [(0, 2), (0, 1), (1, 1), (0, 1)]


def test_news_that_completes_nothing_costs_no_look_at_a_history(
    embedded_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = Asking(embedded_warehouse, monkeypatch, "id: lingers\nwhen: hover[duration >= 3s]")
    store(embedded_warehouse, event_row("hover", duration_ms=2999))
    assert asking.at(NOON + 10) == []
    assert asking.readings_of("The candidates' rows") == 1


@pytest.mark.parametrize(
    ("first", "second"), [("add_to_cart", "view_item"), ("view_item", "add_to_cart")], ids=["wrong order", "in order"]
)
def test_a_persons_events_in_any_order_under_any_ids_give_the_same_firing(
    embedded_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> None:
    asking = Asking(embedded_warehouse, monkeypatch, "id: returns\nwhen: view_item -> add_to_cart within 2m")
    store(embedded_warehouse, event_row("login", "phone", NOON - HOUR_MS, user="u1"))
    store(embedded_warehouse, event_row("login", "laptop", NOON - HOUR_MS, user="u1"))
    happened = {"view_item": ("phone", NOON), "add_to_cart": ("laptop", NOON + 500)}
    fired: list[Fire] = []
    for place, event in enumerate((first, second)):
        visitor, at = happened[event]
        store(embedded_warehouse, event_row(event, visitor, at, stored_at=NOON + 1000 * (1 + place)))
        fired += asking.at(NOON + 1000 * (1 + place))
    assert named(fired) == [("returns", "u1", 500)]


def test_news_of_before_the_end_of_a_wait_that_was_asked_about_is_asked_about_again(
    embedded_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = Asking(
        embedded_warehouse,
        monkeypatch,
        "id: gone\nwhen: add_to_cart -> no purchase within 1m\nif: count(scroll, 1h) > 0",
    )
    store(embedded_warehouse, event_row("add_to_cart"))
    assert asking.at(NOON + 10) == []
    assert asking.at(NOON + MINUTE_MS + 10) == []
    store(embedded_warehouse, event_row("scroll", at=NOON + MINUTE_MS - 10, stored_at=NOON + MINUTE_MS + 500))
    assert named(asking.at(NOON + MINUTE_MS + 1000)) == [("gone", "anna", MINUTE_MS)]
