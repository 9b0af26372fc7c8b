"""Events of the bus: answered within milliseconds and without ClickHouse, and never twice or never."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from bench.shop import uuid7
from tests.trigger_worker.keeping_log import KeepingLog
from tests.trigger_worker.shop import Shop
from tests.waiting import until
from trigger_worker.live import bus as module
from trigger_worker.live import first_seen, sweep
from trigger_worker.people import source
from trigger_worker.people.reading import read_people
from trigger_worker.people.source import JOINS_A_MINUTE
from trigger_worker.store import people as store_people
from warehouse.connection import Warehouse
from warehouse.errors import JournalError, WarehouseUnavailable

HOVER = "when: hover[duration >= 3s]\nevery: 0s\nsend:\n  - banner: hello\n"
RETURNS = "when: view_item -> add_to_cart within 2m\nevery: 0s\nsend:\n  - banner: hello\n"
EVERYTHING = ("query", "insert_lines", "command", "stream")


class Line:
    """The line to ClickHouse: notes what goes over it, and may be cut."""

    def __init__(self, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
        self.statements: list[str] = []
        self.is_cut = False
        for name in EVERYTHING:
            if hasattr(warehouse, name):
                monkeypatch.setattr(warehouse, name, self._noting(getattr(warehouse, name)))

    def _noting(self, do: Any) -> Any:
        def noted(*arguments: Any, **named: Any) -> Any:
            self.statements.append(str(arguments[0]))
            if self.is_cut:
                raise WarehouseUnavailable("ClickHouse is away")
            return do(*arguments, **named)

        return noted


@pytest.fixture
async def shop(embedded_shop: Shop) -> Shop:
    """A shop whose worker knows its rules, keeps rows apart from ClickHouse, and has run for a minute."""
    embedded_shop.log = KeepingLog()
    embedded_shop.rule("lingers", HOVER)
    embedded_shop.rule("returns", RETURNS)
    await embedded_shop.starts()
    await embedded_shop.passes(60)
    return embedded_shop


@pytest.fixture
def line(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Line:
    return Line(shop.warehouse, monkeypatch)


def log_of(shop: Shop) -> KeepingLog:
    assert isinstance(shop.log, KeepingLog)
    return shop.log


def newborn(shop: Shop, number: int = 1) -> str:
    """Return the id of a visitor whose page made it a moment ago."""
    return uuid7(shop.now_ms - 300, number)


async def answers(shop: Shop) -> None:
    """Let the worker ask about what it heard, without sweeping the feed."""
    await shop.worker.evaluation.bus.settle()
    await shop.dispatcher.settle(10)


def left(shop: Shop, reason: str) -> float:
    """Return how many events were left to the sweep for a reason."""
    return value(shop, "micromoment_events_left_to_sweep_total", {"reason": reason})


def handled(shop: Shop, way: str) -> float:
    return value(shop, "micromoment_events_handled_total", {"way": way})


def value(shop: Shop, name: str, labels: Mapping[str, str]) -> float:
    return shop.metrics.registry.get_sample_value(name, dict(labels)) or 0.0


async def test_a_newborn_visitor_gets_a_banner_without_clickhouse_and_without_the_sweep(shop: Shop, line: Line) -> None:
    visitor = newborn(shop)
    shop.hears("hover", visitor, duration_ms=3000, name="Tent")
    shop.hears("hover", newborn(shop, 2), duration_ms=2999)
    await answers(shop)
    assert shop.sent() == [visitor]
    assert log_of(shop).fired() == [("lingers", visitor)]
    assert line.statements == []
    assert handled(shop, "bus") >= 2


async def test_decisions_about_known_visitors_cost_no_statement(shop: Shop, line: Line) -> None:
    visitors = [f"visitor-{number}" for number in range(20)]
    for visitor in visitors:
        shop.hears("page_view", visitor)
    await answers(shop)
    assert line.statements, "they were read once"
    line.statements.clear()
    for _ in range(50):
        shop.now_ms += 1_000
        for visitor in visitors:
            shop.hears("hover", visitor, duration_ms=3000)
        await answers(shop)
    assert len(shop.sent()) == 1_000
    assert line.statements == []


async def test_a_visitor_who_is_not_known_is_read_once_whatever_comes(shop: Shop, line: Line) -> None:
    shop.happens("view_item", "anna", ago_ms=60_000)
    line.statements.clear()
    shop.hears("add_to_cart", "anna")
    await answers(shop)
    assert log_of(shop).fired() == [("returns", "anna")]
    read = len(line.statements)
    assert 0 < read <= 8
    shop.now_ms += 1_000
    shop.hears("add_to_cart", "anna")
    await answers(shop)
    assert len(line.statements) == read


async def test_a_firing_has_the_whole_event_of_the_bus(shop: Shop) -> None:
    shop.hears("hover", newborn(shop), event_id="e1", duration_ms=3000, name="Tent", colour="red")
    await answers(shop)
    log_of(shop).move(shop.warehouse)
    ((event,),) = shop.rows("SELECT event FROM fires")
    for part in ('"event":"hover"', '"event_id":"e1"', '"name":"Tent"', '"colour":"red"'):
        assert part in event


async def test_what_the_bus_brings_twice_fires_once(shop: Shop) -> None:
    visitor = newborn(shop)
    event_id = shop.hears("hover", visitor, duration_ms=3000)
    shop.hears("hover", visitor, duration_ms=3000, event_id=event_id)
    await answers(shop)
    shop.now_ms += 500
    shop.hears("hover", visitor, duration_ms=3000, event_id=event_id, ago_ms=500)
    await answers(shop)
    assert shop.sent() == [visitor]
    assert log_of(shop).fired() == [("lingers", visitor)]


async def test_what_the_bus_lost_the_sweep_finds(shop: Shop) -> None:
    shop.happens("hover", "anna", duration_ms=3000)
    await answers(shop)
    assert shop.sent() == []
    await shop.passes(0.1)
    assert shop.sent() == ["anna"]
    assert handled(shop, "sweep") == 1


@pytest.mark.parametrize("sweeps_first", [False, True])
async def test_what_comes_by_bus_and_feed_fires_once(shop: Shop, sweeps_first: bool) -> None:
    event_id = shop.hears("hover", newborn(shop), duration_ms=3000)
    known = shop.hears("hover", "anna", duration_ms=3000)
    if not sweeps_first:
        await answers(shop)
    shop.now_ms += 100
    for each in (event_id, known):
        shop.arrives(each)
    await shop.worker.evaluation.evaluate(shop.reader)
    await answers(shop)
    for _ in range(3):
        await shop.passes(1)
    assert len(shop.sent()) == len(log_of(shop).fired()) == 2
    assert handled(shop, "sweep") == (2 if sweeps_first else 0)


async def test_what_was_answered_before_a_restart_is_not_answered_again(shop: Shop) -> None:
    event_id = shop.hears("hover", newborn(shop), duration_ms=3000)
    await answers(shop)
    log_of(shop).move(shop.warehouse)
    shop.now_ms += 100
    shop.arrives(event_id)
    await shop.starts()
    await shop.passes(1)
    assert len(shop.sent()) == len(log_of(shop).fired()) == 1


async def test_a_browser_that_says_it_is_a_thousand_users_costs_a_few_readings_and_then_the_sweeps(
    shop: Shop, line: Line
) -> None:
    browser = newborn(shop)
    shop.hears("hover", browser, duration_ms=3000)
    await answers(shop)
    for number in range(1_000):
        shop.hears("identify", browser, user=f"victim-{number}", event_id=f"i{number}")
        if number % 10 == 0:
            await answers(shop)
    await answers(shop)
    assert value(shop, "micromoment_people_loaded_total", {}) <= 2 * JOINS_A_MINUTE
    assert len(line.statements) <= 8 * JOINS_A_MINUTE
    assert left(shop, "joins") == 1_000 - JOINS_A_MINUTE
    shop.hears("hover", newborn(shop, 2), duration_ms=3000)
    await answers(shop)
    assert len(shop.sent()) == 2, "others are answered at once"


async def test_events_of_a_person_who_logs_in_are_answered_together_with_the_join(shop: Shop, line: Line) -> None:
    browser = newborn(shop)
    shop.hears("view_item", browser)
    await answers(shop)
    shop.now_ms += 1_000
    for number in range(20):
        shop.hears("add_to_cart", browser, user="anna", event_id=f"c{number}", name="Tent")
    await answers(shop)
    assert left(shop, "joins") == 0
    assert shop.sent() == ["anna"]


async def test_events_of_a_person_who_is_being_read_join(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, free = threading.Event(), threading.Event()

    def slow(*arguments: Any) -> Any:
        reading.set()
        free.wait()
        return read_people(*arguments)

    monkeypatch.setattr(source, "read_people", slow)
    bus, seen = shop.worker.evaluation.bus, newborn(shop)
    running = asyncio.create_task(bus.run())
    try:
        shop.hears("view_item", "anna")
        await asyncio.to_thread(reading.wait, 10)
        shop.now_ms += 100
        shop.hears("add_to_cart", "anna")
        shop.hears("hover", seen, duration_ms=3000)
        await asyncio.sleep(0.05)
        assert shop.sent() == [seen], "nobody waits for others to be read"
        free.set()
        await until(lambda: len(shop.sent()) == 2)
    finally:
        free.set()
        running.cancel()
        await asyncio.wait([running])
    assert log_of(shop).fired() == [("lingers", seen), ("returns", "anna")]
    assert value(shop, "micromoment_people_loaded_total", {}) == 1


async def test_what_comes_late_or_out_of_order_is_left_to_the_sweep_and_fires_as_if_in_order(shop: Shop) -> None:
    shop.hears("add_to_cart", "anna")
    shop.hears("page_view", "bob")
    await answers(shop)
    shop.now_ms += 2_000
    out_of_order = shop.hears("view_item", "anna", ago_ms=3_000)
    late = shop.hears("hover", "bob", ago_ms=30_000, duration_ms=3000)
    await answers(shop)
    assert log_of(shop).fired() == []
    assert left(shop, "late") == 2
    shop.now_ms += 500
    shop.arrives(out_of_order)
    shop.arrives(late)
    await shop.passes(0.1)
    await shop.passes(0.1)
    assert sorted(log_of(shop).fired()) == [("lingers", "bob"), ("returns", "anna")]
    log_of(shop).move(shop.warehouse)
    at = {rule: after for rule, _, _, after in shop.fires()}
    assert at == {"returns": 60_000, "lingers": 60_000 + 2_000 - 30_000}


async def test_a_purchase_that_came_late_keeps_what_it_ends_from_firing(shop: Shop) -> None:
    shop.rule("unbought", HOVER + "if: count(purchase, 1h) == 0\n")
    (shop.folder / "rules/lingers.yaml").unlink()
    await shop.passes(1)
    shop.hears("page_view", "anna")
    await answers(shop)
    shop.now_ms += 1_000
    shop.hears("purchase", "anna", ago_ms=30_000)
    await answers(shop)
    shop.hears("hover", "anna", duration_ms=3000)
    await answers(shop)
    assert log_of(shop).fired() == []


async def test_who_is_recognised_on_the_bus_has_the_past_of_the_user(shop: Shop) -> None:
    shop.happens("view_item", "laptop", user="u1", ago_ms=60_000)
    phone = newborn(shop)
    shop.hears("page_view", phone)
    await answers(shop)
    shop.now_ms += 100
    shop.hears("identify", phone, user="u1")
    shop.now_ms += 100
    shop.hears("add_to_cart", phone)
    await answers(shop)
    assert log_of(shop).fired() == [("returns", "u1")]
    (message,) = shop.channels["banner"].sent
    assert set(message.recipients) == {phone, "laptop"}


async def test_a_user_of_two_browsers_is_one_person_before_clickhouse_knows(shop: Shop) -> None:
    phone, laptop = newborn(shop, 1), newborn(shop, 2)
    shop.hears("view_item", phone)
    shop.hears("identify", phone, user="u1")
    await answers(shop)
    shop.now_ms += 1_000
    shop.hears("identify", laptop, user="u1")
    shop.now_ms += 1_000
    shop.hears("add_to_cart", laptop, user="u1")
    await answers(shop)
    assert log_of(shop).fired() == [("returns", "u1")]


async def test_a_user_of_more_browsers_than_a_person_may_have_is_not_read_for_each_event(
    shop: Shop, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_people, "MAX_ALIASES", 2)
    browsers = [f"browser-{number}" for number in range(5)]
    for browser in browsers:
        shop.happens("identify", browser, user="guest")
    await shop.passes(60)
    costs = []
    for _ in range(3):
        line.statements.clear()
        for browser in browsers:
            shop.now_ms += 100
            shop.hears("page_view", browser, user="guest")
            await answers(shop)
        costs.append(len(line.statements))
    assert costs[0] > 0
    assert costs[1:] == [0, 0]


def _mistaken(*_: Any) -> Any:
    raise ZeroDivisionError


async def _mistaken_later(*_: Any) -> Any:
    raise ZeroDivisionError


@pytest.mark.parametrize(("step", "mistake"), [("decide_at_once", _mistaken), ("dispatch", _mistaken_later)])
async def test_a_mistake_in_an_answer_neither_loses_nor_repeats_the_firing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, step: str, mistake: Any
) -> None:
    steps = {"decide_at_once": shop.worker.delivery, "dispatch": shop.worker.dispatcher}
    visitor = newborn(shop)
    with monkeypatch.context() as patched:
        patched.setattr(steps[step], step, mistake)
        event_id = shop.hears("hover", visitor, duration_ms=3000)
        with contextlib.suppress(ZeroDivisionError):
            await answers(shop)
    shop.now_ms += 100
    shop.arrives(event_id)
    for _ in range(2):
        await shop.passes(0.1)
    assert log_of(shop).fired() == [("lingers", visitor)]
    assert shop.sent() == [visitor]


async def test_more_than_can_wait_is_left_to_the_sweep(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 2)
    ids = [shop.hears("hover", newborn(shop, number), duration_ms=3000) for number in range(5)]
    assert left(shop, "queue_full") == 3
    await answers(shop)
    assert len(shop.sent()) == 2
    shop.now_ms += 100
    for each in ids:
        shop.arrives(each)
    await shop.passes(0.1)
    assert len(set(shop.sent())) == len(shop.sent()) == len(log_of(shop).fired()) == 5


async def test_more_than_can_wait_to_be_read_is_left_to_the_sweep(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_seen, "MAX_LOADING", 2)
    ids = [shop.hears("hover", f"visitor-{number}", duration_ms=3000) for number in range(5)]
    await answers(shop)
    assert (left(shop, "readings_full"), len(shop.sent())) == (3, 2)
    shop.now_ms += 100
    for each in ids:
        shop.arrives(each)
    await shop.passes(0.1)
    assert len(set(shop.sent())) == len(shop.sent()) == 5


async def test_while_clickhouse_is_away_newborn_and_known_visitors_get_banners_and_others_when_it_is_back(
    shop: Shop, line: Line
) -> None:
    shop.hears("page_view", "known")
    await answers(shop)
    line.is_cut = True
    shop.now_ms += 1_000
    visitor = newborn(shop)
    heard = [shop.hears("hover", who, duration_ms=3000) for who in (visitor, "known", "unknown")]
    await answers(shop)
    assert sorted(shop.sent()) == sorted([visitor, "known"])
    assert left(shop, "not_read") == 1
    with pytest.raises(WarehouseUnavailable):
        await shop.passes(1)
    line.is_cut = False
    for each in heard:
        shop.arrives(each)
    log_of(shop).move(shop.warehouse)
    for _ in range(3):
        await shop.passes(1)
    assert sorted(shop.sent()) == sorted([visitor, "known", "unknown"])
    assert sorted(log_of(shop).fired()) == sorted(("lingers", who) for who in (visitor, "known", "unknown"))


@pytest.mark.parametrize("arrives", [False, True])
async def test_what_the_disk_refuses_is_not_sent_and_fires_once_when_it_is_well(shop: Shop, arrives: bool) -> None:
    shop.hears("page_view", "known")
    await answers(shop)
    log_of(shop).fails = True
    shop.now_ms += 1_000
    visitor = newborn(shop)
    heard = [shop.hears("hover", who, duration_ms=3000) for who in (visitor, "known")]
    await answers(shop)
    assert (shop.sent(), log_of(shop).fired()) == ([], [])
    assert left(shop, "not_stored") == 2
    log_of(shop).fails = False
    if arrives:
        for each in heard:
            shop.arrives(each)
    for _ in range(3):
        await shop.passes(1)
    assert sorted(shop.sent()) == sorted([visitor, "known"])
    assert sorted(log_of(shop).fired()) == sorted([("lingers", visitor), ("lingers", "known")])


async def test_a_disk_that_stays_full_sends_nothing_however_often_it_is_tried(shop: Shop) -> None:
    log_of(shop).fails = True
    visitor = newborn(shop)
    shop.hears("hover", visitor, duration_ms=3000)
    await answers(shop)
    for _ in range(3):
        try:
            await shop.worker.evaluation.evaluate(shop.reader)
        except JournalError:
            shop.now_ms += 1_000
    assert shop.sent() == []
    log_of(shop).fails = False
    await shop.passes(1)
    await shop.passes(1)
    assert (shop.sent(), log_of(shop).fired()) == ([visitor], [("lingers", visitor)])


async def test_more_than_is_kept_while_the_disk_is_full_is_found_in_the_feed_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "MAX_KEPT", 2)
    log_of(shop).fails = True
    visitors = [newborn(shop, number) for number in range(6)]
    heard = []
    for visitor in visitors:
        heard.append(shop.hears("hover", visitor, duration_ms=3000))
        await answers(shop)
    assert left(shop, "again_full") == 4
    shop.now_ms += 100
    for each in heard:
        shop.arrives(each)
    for _ in range(3):
        shop.now_ms += 1_000
        with pytest.raises(JournalError):
            await shop.worker.evaluation.evaluate(shop.reader)
    assert len(shop.worker.evaluation.bus.unanswered._kept) <= 2
    log_of(shop).fails = False
    for _ in range(3):
        await shop.passes(1)
    assert sorted(shop.sent()) == sorted(visitors)
    assert sorted(log_of(shop).fired()) == sorted(("lingers", visitor) for visitor in visitors)


async def test_events_that_come_together_with_the_word_who_it_is_are_those_of_the_user(shop: Shop) -> None:
    shop.happens("view_item", "laptop", user="u1", ago_ms=60_000)
    phone = newborn(shop)
    row = shop.row("identify", phone, user="u1", event_id="b")
    shop.hear_together(row, shop.row("add_to_cart", phone, event_id="c"))
    await answers(shop)
    assert log_of(shop).fired() == [("returns", "u1")]


async def test_events_before_the_word_who_it_is_are_answered_with_it(shop: Shop) -> None:
    shop.happens("view_item", "laptop", user="u1", ago_ms=60_000)
    phone = newborn(shop)
    shop.hears("page_view", phone)
    await answers(shop)
    shop.now_ms += 100
    shop.hear_together(
        shop.row("add_to_cart", phone, event_id="a"), shop.row("identify", phone, user="u1", event_id="b")
    )
    await answers(shop)
    assert log_of(shop).fired() == [("returns", "u1")]


async def test_what_waits_for_a_person_under_two_ids_is_asked_about_together(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_seen, "MAX_LOADED_TOGETHER", 1)
    shop.happens("identify", "phone", user="u1", ago_ms=60_000)
    shop.hear_together(
        shop.row("add_to_cart", "phone", user="u1", event_id="b"), shop.row("view_item", "phone", event_id="a")
    )
    await answers(shop)
    assert log_of(shop).fired() == [("returns", "u1")]
    assert left(shop, "late") == 0


async def test_an_event_whose_clock_is_ahead_is_answered_when_its_time_has_come(shop: Shop) -> None:
    visitor = newborn(shop)
    event_id = shop.hears("hover", visitor, ago_ms=-300, duration_ms=3000)
    shop.arrives(event_id)
    await answers(shop)
    await shop.passes(0.2)
    assert shop.sent() == []
    await shop.passes(0.2)
    assert shop.sent() == [visitor]


async def test_every_keeps_a_rule_from_firing_again_between_bus_and_sweep(shop: Shop) -> None:
    shop.rule("lingers", HOVER.replace("every: 0s", "every: 10s"))
    await shop.passes(1)
    visitor = newborn(shop)
    for place in range(4):
        event_id = shop.hears("hover", visitor, duration_ms=3000)
        if place % 2:
            shop.arrives(event_id)
        await shop.passes(4)
    assert len(log_of(shop).fired()) == len(shop.sent()) == 2


async def test_messages_of_our_own_are_heard_and_complete_rules(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    append = log_of(shop).append

    async def taking_time(*arguments: Any) -> None:
        shop.now_ms += 5
        await append(*arguments)

    monkeypatch.setattr(shop.log, "append", taking_time)
    shop.rule("told", "when: message_sent\nevery: 0s\n")
    await shop.passes(1)
    visitor = newborn(shop)
    shop.hears("hover", visitor, duration_ms=3000)
    await answers(shop)
    assert log_of(shop).fired() == [("lingers", visitor), ("told", visitor)]
