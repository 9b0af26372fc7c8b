"""People who are asked about apart: whose questions take long, or end in a mistake; nobody else waits for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from bench.shop import uuid7
from tests.trigger_worker import replays
from tests.trigger_worker.keeping_log import KeepingLog
from tests.trigger_worker.shop import Shop
from tests.trigger_worker.stored import event_row, store
from tests.waiting import until
from trigger_worker.deciding.decider import Decider
from trigger_worker.live import side_lane, turn
from trigger_worker.live.side_lane import SideLane, SlowQuestion
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.people import source
from trigger_worker.people.reading import read_people
from trigger_worker.rules.evaluate.compiled_rule import CompiledRule
from trigger_worker.store.feed import News
from trigger_worker.store.people import Visitor
from trigger_worker.store.records import Records
from warehouse.errors import JournalError, WarehouseUnavailable

SECOND_MS = 1_000
HOVER = "when: hover[duration >= 3s]\nevery: 0s\nsend:\n  - banner: hello\n"
VIEWS = "when: view_item\nif: uniq(view_item.product_id, 7d) >= 3\nevery: 10s\n"


@pytest.fixture
async def shop(embedded_shop: Shop) -> Shop:
    """A shop whose worker knows its rules, keeps rows apart from ClickHouse, and has run for a minute."""
    embedded_shop.log = KeepingLog()
    embedded_shop.rule("lingers", HOVER)
    embedded_shop.rule("views", VIEWS)
    await embedded_shop.starts()
    await embedded_shop.passes(60)
    return embedded_shop


def fired(shop: Shop, rule: str) -> list[str]:
    assert isinstance(shop.log, KeepingLog)
    return [visitor for each, visitor in shop.log.fired() if each == rule]


def value(shop: Shop, name: str, labels: Mapping[str, str] | None = None) -> float:
    return shop.metrics.registry.get_sample_value(name, dict(labels or {})) or 0.0


def newborn(shop: Shop, number: int) -> str:
    return uuid7(shop.now_ms - 300, number)


async def hears_much(shop: Shop, visitor: str, count: int) -> None:
    """Let the worker hear of many views of one visitor at once, of the last 4 s."""
    for number in range(count):
        ago_ms = 4 * SECOND_MS * (count - number) // count
        shop.hears("view_item", visitor, ago_ms, product_id=f"p{number}", event_id=f"{visitor}-{number:05}")


async def test_whoever_takes_longer_than_a_turn_is_answered_after_the_others_and_completely(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "BUDGET", 500)
    busy, other = newborn(shop, 1), newborn(shop, 2)
    await hears_much(shop, busy, 300)
    shop.hears("hover", other, duration_ms=3000)
    await shop.worker.evaluation.bus.settle()
    assert fired(shop, "lingers") == [other]
    assert fired(shop, "views") == []
    assert value(shop, "micromoment_people_apart_total", {"reason": "budget"}) == 1
    assert value(shop, "micromoment_events_apart") == 300
    await shop.worker.evaluation.settle()
    assert fired(shop, "views") == [busy]
    assert value(shop, "micromoment_events_apart") == 0


async def test_what_comes_of_somebody_who_is_asked_about_apart_waits_there_and_is_answered_in_order(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "BUDGET", 500)
    busy = newborn(shop, 1)
    await hears_much(shop, busy, 300)
    await shop.worker.evaluation.bus.settle()
    shop.now_ms += SECOND_MS
    shop.hears("hover", busy, duration_ms=3000)
    await shop.worker.evaluation.bus.settle()
    assert fired(shop, "lingers") == []
    await shop.worker.evaluation.settle()
    assert fired(shop, "lingers") == [busy]
    shop.now_ms += SECOND_MS
    shop.hears("hover", busy, duration_ms=3000)
    await shop.worker.evaluation.bus.settle()
    assert fired(shop, "lingers") == [busy, busy], "nobody stays apart for longer than it takes"


async def test_an_event_that_would_put_a_long_history_in_order_anew_makes_nobody_wait(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(side_lane, "MAX_REWRITTEN", 50)
    busy = newborn(shop, 1)
    await hears_much(shop, busy, 100)
    await shop.worker.evaluation.bus.settle()
    shop.hears("hover", busy, 3 * SECOND_MS, duration_ms=3000)
    await shop.worker.evaluation.bus.settle()
    assert value(shop, "micromoment_people_apart_total", {"reason": "rewriting"}) == 1
    await shop.worker.evaluation.settle()
    assert fired(shop, "lingers") == [busy]


async def test_the_lane_is_bounded_and_what_does_not_fit_is_the_sweeps(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "BUDGET", 500)
    monkeypatch.setattr(side_lane, "MAX_WAITING", 100)
    first, second = newborn(shop, 1), newborn(shop, 2)
    await hears_much(shop, first, 150)
    await shop.worker.evaluation.bus.settle()
    await hears_much(shop, second, 150)
    await shop.worker.evaluation.bus.settle()
    assert value(shop, "micromoment_events_left_to_sweep_total", {"reason": "lane_full"}) == 150
    assert fired(shop, "views") == []
    for each in list(shop.accepted):
        shop.arrives(each)
    await shop.passes(1)
    await shop.passes(1)
    assert sorted(fired(shop, "views")) == sorted([first, second])


async def test_a_sweep_goes_on_without_those_who_take_long_and_the_cursor_stays_behind_them(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "BUDGET", 500)
    shop.now_ms += 30 * SECOND_MS
    rows = [
        event_row("view_item", "busy", shop.now_ms - 20 * SECOND_MS + number * 50, product_id=f"p{number}")
        for number in range(300)
    ]
    store(shop.warehouse, *({**row, "ingested_at": row["ts"]} for row in rows))
    shop.happens("hover", "other", duration_ms=3000)
    cursors: list[int] = []
    monkeypatch.setattr(Records, "store_cursor", lambda _, __, ___, read_to: cursors.append(read_to))
    await shop.worker.evaluation.evaluate(shop.reader)
    assert fired(shop, "lingers") == ["other"]
    assert fired(shop, "views") == []
    shop.now_ms += 30 * SECOND_MS
    await shop.worker.evaluation.evaluate(shop.reader)
    assert cursors[-1] <= shop.now_ms - 50 * SECOND_MS
    await shop.worker.evaluation.settle()
    replayed = replays.replay(shop.warehouse, f"id: views\n{VIEWS}", since=shop.now_ms - 3_600_000, until=shop.now_ms)
    assert len(fired(shop, "views")) == len(replays.firings(replayed)) == 2


async def test_a_rule_that_raises_is_set_aside_and_told_once_while_the_others_are_asked(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.rule("broken", "when: hover\nevery: 0s\nsend:\n  - banner: hello\n")
    await shop.passes(1)
    asked = CompiledRule.matches

    def matches(compiled: CompiledRule, *arguments: Any) -> Any:
        if compiled.rule.id == "broken":
            raise RecursionError("too deep")
        return asked(compiled, *arguments)

    monkeypatch.setattr(CompiledRule, "matches", matches)
    visitors = [newborn(shop, number) for number in range(1, 4)]
    with capture_logs() as logs:
        for visitor in visitors:
            shop.hears("hover", visitor, duration_ms=3000)
            await shop.worker.evaluation.bus.settle()
        for number in range(2):
            shop.happens("hover", f"swept-{number}", duration_ms=3000)
            await shop.passes(1)
    assert fired(shop, "lingers") == [*visitors, "swept-0", "swept-1"]
    assert value(shop, "micromoment_rules_set_aside_total", {"rule": "broken"}) >= 5
    assert [(log["rule"], log["error"]) for log in logs if log["event"] == "rule_set_aside"] == [
        ("broken", "RecursionError")
    ]
    assert value(shop, "micromoment_steps_failed_total", {"step": "sweep"}) == 0


async def test_a_mistake_about_one_person_stops_nobody_else_and_is_given_up(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(side_lane, "RETRY_SECONDS", 0.0)
    bad, good = newborn(shop, 1), newborn(shop, 2)
    decide = Decider.decide

    def decided(decider: Decider, messages: Any, *arguments: Any, **named: Any) -> Any:
        if any(message.visitor_id in {bad, "bad"} for message in messages):
            raise ValueError("a mistake")
        return decide(decider, messages, *arguments, **named)

    monkeypatch.setattr(Decider, "decide", decided)
    shop.hears("hover", bad, duration_ms=3000)
    shop.hears("hover", good, duration_ms=3000)
    shop.happens("hover", "bad", duration_ms=3000)
    shop.happens("hover", "good", duration_ms=3000)
    await shop.passes(1)
    assert sorted(fired(shop, "lingers")) == sorted([good, "good"])
    assert value(shop, "micromoment_events_given_up_total") == 2
    assert value(shop, "micromoment_events_apart") == 0


def news(number: int, at: int = 1_000) -> News:
    return News(Visitor("shop", "anna"), "hover", f"e{number}", at, at)


ANNA, BOB = Visitor("shop", "anna"), Visitor("shop", "bob")


@pytest.fixture
def lane(shop: Shop) -> SideLane:
    return SideLane(WorkerMetrics(shop.metrics.registry.__class__()), lambda: shop.now_ms)


@pytest.mark.parametrize("error", [WarehouseUnavailable("away"), JournalError("full")])
async def test_what_could_not_be_read_or_stored_is_asked_again_and_holds_up_nobody(
    lane: SideLane, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(side_lane, "RETRY_SECONDS", 0.0)
    asked: list[int] = []

    async def ask(question: SlowQuestion) -> bool:
        asked.append(len(question))
        if len(asked) <= 5:
            raise error
        return True

    lane.add(ANNA, [news(1), news(2)], (), 2_000, "budget")
    for _ in range(6):
        await lane.settle(ask)
    assert asked == [2] * 6
    assert len(lane) == 0


async def test_one_person_is_asked_about_by_one_runner_at_a_time(lane: SideLane) -> None:
    under_way: set[int] = set()
    most: list[int] = []
    done = asyncio.Event()

    async def ask(question: SlowQuestion) -> bool:
        assert not under_way & {len(question)}, "the same person twice"
        under_way.add(len(question))
        most.append(len(under_way))
        await asyncio.sleep(0.01)
        under_way.discard(len(question))
        if len(question) == 1 and question.now_ms == 3_000:
            done.set()
        return True

    running = asyncio.create_task(lane.run(ask))
    lane.add(ANNA, [news(1)], (), 2_000, "budget")
    lane.add(BOB, [news(1), news(2)], (), 2_000, "budget")
    await asyncio.sleep(0.005)
    lane.add(ANNA, [news(3)], (), 3_000, "budget")
    async with asyncio.timeout(10):
        await done.wait()
    running.cancel()
    await asyncio.wait([running])
    assert max(most) == 2


async def test_the_feed_is_read_again_for_what_waits_and_for_rows_that_clickhouse_does_not_have(
    lane: SideLane, shop: Shop
) -> None:
    async def ask(question: SlowQuestion) -> bool:
        return True

    assert lane.oldest(None) == []
    lane.add(ANNA, [news(1, 1_000), news(2, 9_000)], (), 2_000, "budget")
    assert lane.oldest(None) == [1_000]
    await lane.settle(ask)
    assert lane.oldest(shop.now_ms - 1) == [1_000], "its firings are in the journal"
    assert lane.oldest(shop.now_ms + 1) == []


async def test_the_worker_goes_on_while_the_threads_that_all_share_are_busy_and_somebody_apart_is_read_slowly(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "BUDGET", 500)
    release = threading.Event()

    def slowly(queries: Any, visitors: Any, *arguments: Any) -> Any:
        if any(visitor.visitor_id == "busy" for visitor in visitors) and "apart" in threading.current_thread().name:
            release.wait()
        return read_people(queries, visitors, *arguments)

    monkeypatch.setattr(source, "read_people", slowly)
    busy_threads = [asyncio.create_task(asyncio.to_thread(release.wait)) for _ in range(64)]
    try:
        async with asyncio.timeout(30):
            await hears_much(shop, "busy", 300)
            await shop.worker.evaluation.bus.settle()
            shop.worker.evaluation._people.forget(Visitor("shop", "busy"))
            apart = asyncio.create_task(shop.worker.evaluation.run_apart())
            shop.happens("hover", "swept", duration_ms=3000)
            shop.hears("hover", "read", duration_ms=3000)
            await shop.worker.evaluation.bus.settle()
            shop.now_ms += SECOND_MS
            await shop.worker.evaluation.evaluate(shop.reader)
            await shop.worker.delivery.send_due(shop.now_ms)
        assert sorted(fired(shop, "lingers")) == ["read", "swept"]
        assert fired(shop, "views") == []
        release.set()
        await until(lambda: bool(fired(shop, "views")))
        apart.cancel()
        await asyncio.wait([apart])
    finally:
        release.set()
        await asyncio.gather(*busy_threads)
