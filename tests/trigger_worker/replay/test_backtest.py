"""Rules replayed over stored history."""

from __future__ import annotations

import pytest

from tests.trigger_worker.replays import HOUR, firings, replay, told
from tests.trigger_worker.shop import Shop
from tests.trigger_worker.stored import NOON, event_row, store
from trigger_worker.deciding.gate.policy import Policy
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.replay import backtest
from trigger_worker.replay.backtest import Backtest
from trigger_worker.rules.files.folder import RuleFolder
from trigger_worker.store import active
from trigger_worker.store.active import Range
from warehouse.connection import Warehouse

MINUTE = 60_000


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """One visitor a page and one person a group."""
    monkeypatch.setattr(active, "PAGE", 1)
    monkeypatch.setattr(backtest, "MAX_ROWS", 1)


def test_matches_fire_at_both_ends_of_the_range_and_not_beyond(warehouse: Warehouse) -> None:
    store(warehouse, *(event_row("hover", at=NOON + after) for after in (-1, 0, HOUR, HOUR + 1)))
    assert told(replay(warehouse, "when: hover")) == [("r", "anna", "", 0), ("r", "anna", "", HOUR)]


def test_a_wait_that_began_before_the_range_ends_in_it(warehouse: Warehouse) -> None:
    store(
        warehouse,
        event_row("add_to_cart", at=NOON - 15 * MINUTE),
        event_row("add_to_cart", "bob", at=NOON - 15 * MINUTE - 1),
        event_row("add_to_cart", "cleo", at=NOON + HOUR - 15 * MINUTE + 1),
        event_row("add_to_cart", "dora", at=NOON),
        event_row("purchase", "dora", at=NOON + 5),
    )
    assert told(replay(warehouse, "when: add_to_cart -> no purchase within 15m")) == [("r", "anna", "", 0)]


def test_what_a_rule_looks_at_is_read_from_before_the_range(warehouse: Warehouse) -> None:
    store(warehouse, event_row("hover", at=NOON - 23 * HOUR), event_row("click", at=NOON + 1))
    assert told(replay(warehouse, "when: click\nif: count(hover, 1d) == 1")) == [("r", "anna", "", 1)]
    assert told(replay(warehouse, "when: hover -> click within 1d")) == [("r", "anna", "", 1)]


def test_the_replay_starts_clean_and_keeps_every(warehouse: Warehouse) -> None:
    store(warehouse, *(event_row("hover", at=NOON + after * MINUTE) for after in (-1, 5, 10, 15)))
    assert told(replay(warehouse, "when: hover\nevery: 10m")) == [
        ("r", "anna", "", 5 * MINUTE),
        ("r", "anna", "", 15 * MINUTE),
    ]


def test_imported_history_counts(warehouse: Warehouse) -> None:
    store(warehouse, event_row("hover", source="import"))
    assert told(replay(warehouse, "when: hover")) == [("r", "anna", "", 0)]


@pytest.mark.usefixtures("small_groups")
def test_a_person_is_asked_about_once_however_far_their_ids_lie_apart(warehouse: Warehouse) -> None:
    store(
        warehouse,
        event_row("identify", "a-phone", NOON, user="u"),
        event_row("identify", "z-laptop", NOON, user="u"),
        event_row("hover", "a-phone", NOON + 1),
        event_row("hover", "m-other", NOON + 2),
        event_row("click", "z-laptop", NOON + 3),
    )
    found = replay(warehouse, "when: hover -> click within 1m", "id: s\nwhen: hover")
    assert told(found) == [("s", "u", "", 1), ("r", "u", "", 3), ("s", "m-other", "", 2)]


@pytest.mark.usefixtures("small_groups")
def test_every_id_that_was_counted_is_gone_through(warehouse: Warehouse) -> None:
    store(
        warehouse,
        event_row("identify", "a-phone", NOON, user="u"),
        *(event_row("hover", name, NOON) for name in ("a-phone", "b", "c", "u")),
        event_row("hover", "elsewhere", NOON, site="other"),
        event_row("scroll", "not-counted", NOON),
    )
    found = replay(warehouse, "when: hover")
    assert sum(one.ids for one in found) == 5
    assert {firing.visitor_id for firing in firings(found)} == {"u", "b", "c", "elsewhere"}


def test_each_person_is_told_in_order_of_time(warehouse: Warehouse) -> None:
    store(warehouse, *(event_row(name, at=NOON + at) for name, at in (("click", 1), ("hover", 2), ("click", 3))))
    assert told(replay(warehouse, "id: z\nwhen: click", "id: a\nwhen: hover")) == [
        ("z", "anna", "", 1),
        ("a", "anna", "", 2),
        ("z", "anna", "", 3),
    ]


def test_any_is_asked_of_every_event_but_those_about_messages(warehouse: Warehouse) -> None:
    store(warehouse, event_row("shops_own"), event_row("email_opened", "bob"))
    assert told(replay(warehouse, "when: any")) == [("r", "anna", "", 0)]


def test_keys_split_a_replay_too(warehouse: Warehouse) -> None:
    store(warehouse, *(event_row("view_item", at=NOON + at, product_id=f"p{at % 2}") for at in range(4)))
    assert told(replay(warehouse, "when: view_item -> view_item\nkey: product_id")) == [
        ("r", "anna", "p0", 2),
        ("r", "anna", "p1", 3),
    ]


@pytest.mark.parametrize(
    ("goal", "bought", "now", "expected"),
    [
        ("purchase within 2h", 2 * HOUR, 9 * HOUR, True),
        ("purchase within 2h", 2 * HOUR + 1, 9 * HOUR, False),
        ("purchase", 8 * HOUR, 9 * HOUR, True),
        ("purchase", 8 * HOUR, 7 * HOUR, False),
        ("purchase", 0, 9 * HOUR, False),
    ],
)
def test_a_goal_is_looked_for_after_the_end_of_the_range(
    warehouse: Warehouse, goal: str, bought: int, now: int, expected: bool
) -> None:
    store(warehouse, event_row("hover"), event_row("purchase", at=NOON + bought))
    (firing,) = firings(replay(warehouse, f"when: hover\ngoal: {goal}", now=NOON + now))
    assert firing.goal_reached is expected


def test_without_a_goal_none_is_told(warehouse: Warehouse) -> None:
    store(warehouse, event_row("hover"))
    (firing,) = firings(replay(warehouse, "when: hover"))
    assert firing.goal_reached is None


def test_caps_and_quiet_hours_are_counted_on_the_clock_of_the_visitor(warehouse: Warehouse) -> None:
    """Noon in Berlin is 20:00 in Tokyo."""
    names = {"anna": "Europe/Berlin", "tomo": "Asia/Tokyo"}
    store(
        warehouse,
        *(event_row("hover", who, NOON + at, timezone=zone) for who, zone in names.items() for at in (0, MINUTE)),
    )
    found = replay(
        warehouse,
        "when: hover\nsend:\n  - banner: hello",
        policy="quiet: {banner: 19:00-09:00}\ncaps:\n  - {channel: banner, max: 1, per: 1h}",
    )
    restrained = [(one.capped, one.quieted) for group in found for one in group.restrained]
    assert restrained == [(False, False), (True, False), (False, True), (True, True)]


async def test_the_live_worker_and_the_replay_fire_alike(shop: Shop) -> None:
    shop.rule("lingers", "when: hover[price > 10]\nif: count(click, 1h) == 0\nevery: 10m\n")
    shop.rule("leaves", "when: add_to_cart -> no purchase within 15m\nevery: 0\n")
    shop.rule("returns", "when: view_item -> view_item within 5m\nkey: product_id\nevery: 0\n")
    await shop.passes()
    begin = shop.now_ms
    for minute in range(40):
        for who in ("anna", "bob"):
            if minute % (3 if who == "anna" else 4) == 0:
                shop.happens("hover", who, price=float(minute))
                shop.happens("view_item", who, product_id=f"p{minute % 2}")
        if minute in (2, 9):
            shop.happens("add_to_cart", "anna")
        if minute == 20:
            shop.happens("click", "bob")
        await shop.passes(60)
    live = RuleFolder(shop.folder / "rules", shop.folder / "audiences.yaml").refresh()
    rules = list(LiveRules(live.rules, live.audiences).by_id.values())
    found = Backtest(shop.warehouse, rules, Policy(), Range(begin, shop.now_ms), shop.now_ms)
    replayed = {(one.rule, one.visitor_id, one.key, one.at - begin) for one in firings(found.run(found.count()))}
    assert {rule for rule, *_ in replayed} == {"lingers", "leaves", "returns"}
    assert set(shop.fires()) == replayed
