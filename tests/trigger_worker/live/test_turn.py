"""What fires of news and waits, and how much is asked of ClickHouse for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from tests.trigger_worker.shop import Shop
from tests.trigger_worker.stored import NOON, event_row, store
from warehouse.connection import Row

HOUR_MS = 3_600_000
MINUTE_MS = 60_000


class Asking:
    """A worker with rules, and the statements that it runs.

    Args:
        shop: its shop.
        texts: the rules by their ids.
    """

    def __init__(self, shop: Shop, monkeypatch: pytest.MonkeyPatch, **texts: str) -> None:
        self.statements: list[str] = []
        self.shop = shop
        for rule_id, text in texts.items():
            shop.rule(rule_id, text)
        query = shop.warehouse.query

        def noted(sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
            self.statements.append(sql)
            return query(sql, parameters)

        monkeypatch.setattr(shop.warehouse, "query", noted)

    def happens(self, event: str, visitor: str = "anna", at: int = NOON, **fields: Any) -> None:
        """Store an event."""
        store(self.shop.warehouse, event_row(event, visitor, at, **fields))

    async def at(self, now_ms: int) -> list[tuple[str, str, int]]:
        """Ask about what is new and due at an instant, and return what fires: rule, visitor, ms after noon."""
        before = set(self._fired())
        self.statements.clear()
        self.shop.now_ms = now_ms
        await self.shop.passes()
        self.last = list(self.statements)
        return [fired for fired in self._fired() if fired not in before]

    def readings_of(self, comment: str) -> int:
        """Return how many of the last statements begin with a comment."""
        return sum(sql.startswith(f"-- {comment}") for sql in self.last)

    def _fired(self) -> list[tuple[str, str, int]]:
        sql = f"SELECT rule, visitor_id, toUnixTimestamp64Milli(at) - {NOON} AS after FROM fires ORDER BY ALL"
        return [(rule, visitor, after) for rule, visitor, after in self.shop.rows(sql)]


#: The reading of a history.
ROWS = "All events of some people"


@pytest.fixture
async def shop(embedded_shop: Shop) -> Shop:
    """A shop whose worker starts at noon."""
    return embedded_shop


async def test_a_firing_carries_the_whole_event_that_completed_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    asking = Asking(shop, monkeypatch, lingers="when: hover[duration >= 3s]")
    asking.happens("hover", event_id="e1", duration_ms=3000, name="Tent", colour="red")
    assert len(await asking.at(NOON + 10)) == 1
    ((event,),) = shop.rows("SELECT event FROM fires")
    assert msgspec.json.decode(event) == {
        "event": "hover",
        "event_id": "e1",
        "duration_ms": 3000.0,
        "name": "Tent",
        "colour": "red",
    }
    assert await asking.at(NOON + 20) == []


async def test_a_person_is_asked_about_under_all_ids_at_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    asking = Asking(shop, monkeypatch, returns="when: view_item -> add_to_cart within 2m")
    asking.happens("login", "phone", NOON - HOUR_MS, user="u1")
    asking.happens("login", "laptop", NOON - HOUR_MS, user="u1")
    asking.happens("view_item", "phone")
    asking.happens("add_to_cart", "laptop", NOON + 1)
    assert await asking.at(NOON + 10) == [("returns", "u1", 1)]


async def test_what_fired_lately_keeps_a_rule_from_firing_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    asking = Asking(shop, monkeypatch, lingers="when: hover\nevery: 1h")
    for after, fires in ((0, 1), (HOUR_MS - 1, 0), (HOUR_MS, 1)):
        asking.happens("hover", at=NOON + after)
        assert len(await asking.at(NOON + after + 10)) == fires


async def test_one_visitors_late_news_makes_no_query_about_the_others_go_back(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = Asking(shop, monkeypatch, lingers="when: hover\nevery: 0s")
    asking.happens("hover", "anna", NOON - HOUR_MS, stored_at=NOON)
    asking.happens("hover", "bob")
    assert await asking.at(NOON + 10) == [("lingers", "anna", -HOUR_MS), ("lingers", "bob", 0)]
    # The history of each, by itself.
    assert asking.readings_of(ROWS) == 2


async def test_the_history_of_who_goes_on_is_read_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    asking = Asking(shop, monkeypatch, third="when: hover\nif: count(hover, 1h) == 3\nevery: 0s")
    fired = []
    for after in range(4):
        asking.happens("hover", at=NOON + after)
        fired.append((len(await asking.at(NOON + after)), asking.readings_of(ROWS)))
    assert fired == [(0, 1), (0, 0), (1, 0), (0, 0)]


async def test_news_that_completes_nothing_costs_no_look_at_a_history(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = Asking(shop, monkeypatch, lingers="when: hover[duration >= 3s]")
    asking.happens("hover", duration_ms=2999)
    assert await asking.at(NOON + 10) == []
    assert asking.readings_of(ROWS) == 1
    asking.happens("hover", at=NOON + 20, duration_ms=2999)
    assert await asking.at(NOON + 20) == []
    assert asking.readings_of(ROWS) == 0


@pytest.mark.parametrize(
    ("first", "second"), [("add_to_cart", "view_item"), ("view_item", "add_to_cart")], ids=["wrong order", "in order"]
)
async def test_a_persons_events_in_any_order_under_any_ids_give_the_same_firing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> None:
    asking = Asking(shop, monkeypatch, returns="when: view_item -> add_to_cart within 2m")
    asking.happens("login", "phone", NOON - HOUR_MS, user="u1")
    asking.happens("login", "laptop", NOON - HOUR_MS, user="u1")
    happened = {"view_item": ("phone", NOON), "add_to_cart": ("laptop", NOON + 500)}
    fired: list[tuple[str, str, int]] = []
    for place, event in enumerate((first, second)):
        visitor, at = happened[event]
        asking.happens(event, visitor, at, stored_at=NOON + 1000 * (1 + place))
        fired += await asking.at(NOON + 1000 * (1 + place))
    assert fired == [("returns", "u1", 500)]


async def test_news_of_before_the_end_of_a_wait_that_was_asked_about_is_asked_about_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = Asking(shop, monkeypatch, gone="when: add_to_cart -> no purchase within 1m\nif: count(scroll, 1h) > 0")
    asking.happens("add_to_cart")
    assert await asking.at(NOON + 10) == []
    assert await asking.at(NOON + MINUTE_MS + 10) == []
    asking.happens("scroll", at=NOON + MINUTE_MS - 10, stored_at=NOON + MINUTE_MS + 500)
    assert await asking.at(NOON + MINUTE_MS + 1000) == [("gone", "anna", MINUTE_MS)]


async def test_what_came_out_of_order_over_a_restart_is_known_to(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    asking = Asking(shop, monkeypatch, returns="when: view_item -> add_to_cart within 2m")
    asking.happens("add_to_cart", at=NOON + 30_000)
    assert await asking.at(NOON + 33_000) == []
    await shop.starts()
    assert await asking.at(NOON + 33_000) == []
    asking.happens("view_item", at=NOON + 29_500, stored_at=NOON + 33_010)
    assert await asking.at(NOON + 33_020) == [("returns", "anna", 30_000)]
