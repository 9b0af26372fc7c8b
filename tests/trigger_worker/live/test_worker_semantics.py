"""What fires for whom, on both engines: sites, keys, order, recognition, and rules that change."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import msgspec
import pytest

from tests.trigger_worker import replays
from tests.trigger_worker.shop import START_MS, Shop
from tests.waiting import until
from trigger_worker import worker
from trigger_worker.delivery import loop as sender
from trigger_worker.delivery.content.banner import BannerContent
from warehouse.connection import Row
from warehouse.own_event import NOTICE_DELAY_MS, history_notice

HOUR_MS = 3_600_000
HOVER = "when: hover[duration >= 3s]\nevery: 0s\nsend:\n  - banner: hello\n"
ABANDONED = "when: add_to_cart -> no purchase within 60s\nevery: 0s\nsend:\n  - email: reminder\n"


async def test_two_sites_never_mix(shop: Shop) -> None:
    shop.rule("returns", "when: view_item -> add_to_cart within 2m\nevery: 0s\nsend:\n  - banner: hello\n")
    shop.happens("view_item", site="other", event_id="same")
    await shop.passes(1)
    shop.happens("add_to_cart", event_id="same", name="Tent")
    await shop.passes(1)
    assert shop.fires() == []
    shop.happens("add_to_cart", site="other", event_id="another", name="Lamp")
    shop.happens("view_item", event_id="another")
    await shop.passes(1)
    assert shop.rows("SELECT site, visitor_id FROM fires") == [("other", "anna")]
    (message,) = shop.channels["banner"].sent
    assert isinstance(message.content, BannerContent)
    assert (message.site, message.content.text) == ("other", "Lamp")


async def test_a_rule_with_a_key_fires_for_each_and_every_counts_for_each(shop: Shop) -> None:
    shop.rule("lingers", "when: hover\nkey: product_id\nevery: 1h\n")
    for product, seconds in (("p1", 10), ("p2", 10), ("p1", 3590), ("p1", 0)):
        shop.happens("hover", product_id=product)
        await shop.passes(seconds)
    assert [(key, at) for _, _, key, at in shop.fires()] == [("p1", 0), ("p2", 10_000), ("p1", 3_610_000)]


async def test_an_event_with_items_fires_for_each_product(shop: Shop) -> None:
    shop.rule("bought", "when: purchase\nkey: product_id\n")
    shop.happens("purchase", items=[{"product_id": "p1"}, {"product_id": "p2"}])
    await shop.passes(1)
    assert [key for _, _, key, _ in shop.fires()] == ["p1", "p2"]


async def test_a_purchase_in_the_same_batch_is_seen_by_what_it_follows(shop: Shop) -> None:
    shop.rule("abandoned", ABANDONED)
    shop.rule("lingers", HOVER + "if: count(purchase, 1h) == 0\n")
    shop.happens("add_to_cart", ago_ms=2)
    shop.happens("hover", ago_ms=1, duration_ms=3000)
    shop.happens("purchase")
    shop.happens("hover", "bob", ago_ms=1, duration_ms=3000)
    shop.happens("purchase", "bob", ago_ms=2)
    await shop.passes(1)
    await shop.passes(60)
    assert [(rule, visitor) for rule, visitor, *_ in shop.fires()] == [("lingers", "anna")]


@pytest.mark.parametrize(("first", "second", "fires"), [("a", "b", 1), ("b", "a", 0)])
async def test_events_of_one_instant_are_ordered_by_their_ids_whenever_they_come(
    shop: Shop, first: str, second: str, fires: int
) -> None:
    shop.rule("returns", "when: view_item -> add_to_cart within 2m\nevery: 0s\n")
    noon = shop.now_ms
    shop.happens("add_to_cart", event_id=second)
    await shop.passes(1)
    shop.happens("view_item", event_id=first, ago_ms=shop.now_ms - noon)
    await shop.passes(1)
    assert len(shop.fires()) == fires


async def test_who_is_recognised_after_a_firing_does_not_fire_again_for_the_same_match(shop: Shop) -> None:
    shop.rule("lingers", HOVER)
    shop.happens("hover", "phone", duration_ms=3000)
    await shop.passes(0.1)
    shop.happens("identify", "phone", user="u1")
    await shop.passes(0.1)
    await shop.starts()
    await shop.passes(0.1)
    assert [visitor for _, visitor, *_ in shop.fires()] == ["phone"]
    shop.happens("hover", "phone", user="u1", duration_ms=3000)
    await shop.passes(0.1)
    assert [visitor for _, visitor, *_ in shop.fires()] == ["phone", "u1"]
    assert [message.recipients for message in shop.channels["banner"].sent] == [("phone",), ("phone",)]


async def test_a_firing_that_is_learned_of_late_keeps_its_distance_from_those_around_it(shop: Shop) -> None:
    shop.rule("lingers", HOVER.replace("every: 0s", "every: 10s"))
    for _ in range(2):
        shop.happens("hover", duration_ms=3000)
        await shop.passes(30)
    for ago_ms in (55_000, 45_000, 25_000):
        shop.happens("hover", ago_ms=ago_ms, duration_ms=3000)
        await shop.passes(0)
    assert [at for *_, at in shop.fires()] == [0, 15_000, 30_000]


async def test_more_messages_than_are_decided_on_together_are_all_sent(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "MAX_DECIDED", 3)
    shop.rule("lingers", HOVER)
    for number in range(7):
        shop.happens("hover", f"visitor-{number}", duration_ms=3000)
    await shop.passes(0.1)
    assert sorted(shop.sent()) == [f"visitor-{number}" for number in range(7)]


async def test_an_event_whose_clock_is_ahead_fires_when_its_time_has_come(shop: Shop) -> None:
    shop.rule("lingers", HOVER)
    shop.happens("hover", ago_ms=-300, duration_ms=3000)
    await shop.passes(0.2)
    assert shop.fires() == []
    await shop.passes(0.2)
    assert shop.fires() == [("lingers", "anna", "", 300)]


async def test_a_rule_that_is_new_does_not_answer_what_was_over_before(shop: Shop) -> None:
    shop.rule("other", HOVER)
    shop.happens("add_to_cart")
    shop.happens("hover", duration_ms=1000)
    for _ in range(3):
        await shop.passes(60)
    shop.rule("abandoned", ABANDONED)
    shop.rule("glances", HOVER.replace("3s", "1s"))
    await shop.passes(1)
    assert shop.fires() == []


async def test_a_rule_sees_the_surroundings_of_each_of_those_it_is_asked_of(shop: Shop) -> None:
    shop.rule("mobile", "when: hover\nif: 'device == \"mobile\" and count(scroll, 1h) >= 1'\n")
    shop.rule("lingers", HOVER)
    for visitor, device in (("anna", "mobile"), ("bob", "desktop"), ("cleo", "mobile")):
        shop.happens("scroll", visitor, ago_ms=60_000, device=device)
    await shop.passes(1)
    for visitor in ("anna", "bob"):
        shop.happens("hover", visitor, duration_ms=3000)
    await shop.passes(1)
    assert {(rule, visitor) for rule, visitor, *_ in shop.fires()} == {
        ("lingers", "anna"),
        ("lingers", "bob"),
        ("mobile", "anna"),
    }


async def test_an_import_counts_as_soon_as_it_is_announced(shop: Shop) -> None:
    shop.rule("returns", "when: view_item -> add_to_cart within 2d\nevery: 0s\n")
    shop.happens("add_to_cart")
    await shop.passes(1)
    shop.happens("view_item", ago_ms=3_600_000, source="import")
    notice = msgspec.json.encode(history_notice("shop", shop.now_ms - NOTICE_DELAY_MS))
    shop.warehouse.insert_lines("event_feed", notice, "notice")
    await shop.passes(1)
    shop.happens("add_to_cart")
    await shop.passes(1)
    assert [at for *_, at in shop.fires()] == [2000]


async def test_news_that_completes_no_rule_costs_no_look_at_histories(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.rule("lingers", HOVER + "if: count(purchase, 30d) == 0\n")
    asked: list[str] = []
    read = shop.warehouse.query

    def noting(sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        asked.append(sql)
        return read(sql, parameters)

    monkeypatch.setattr(shop.warehouse, "query", noting)
    shop.happens("hover", duration_ms=2999)
    await shop.passes(1)
    # The person is read, once.
    assert len([sql for sql in asked if "FROM fires" in sql]) == 1
    asked.clear()
    shop.happens("hover", duration_ms=2999)
    await shop.passes(1)
    assert len([sql for sql in asked if "FROM events" in sql]) <= 1
    assert not [sql for sql in asked if "FROM fires" in sql or "FROM messages" in sql]
    shop.happens("hover", duration_ms=3000)
    await shop.passes(1)
    assert len(shop.fires()) == 1


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_wait_that_late_news_started_fires_once_at_its_own_time(shop: Shop, restarts: bool) -> None:
    shop.rule("abandoned", ABANDONED)
    shop.happens("add_to_cart", ago_ms=40_000)
    await shop.passes(0)
    await shop.passes(19.999)
    assert shop.fires() == []
    await shop.passes(0.001)
    assert len(shop.fires()) == 1
    if restarts:
        await shop.starts()
    # Here the slice of the feed by the storing time brings the same match again.
    await shop.passes(40)
    await shop.passes(40)
    assert [(rule, visitor, at) for rule, visitor, _, at in shop.fires()] == [("abandoned", "anna", 20_000)]
    assert shop.sent("email") == []
    assert [channel for channel, *_ in shop.decisions()] == ["email"]


@pytest.mark.parametrize(("bought_ms", "fires"), [(10_000, 0), (19_999, 0), (20_001, 1)])
async def test_a_purchase_within_the_wait_that_late_news_started_stops_it(
    shop: Shop, bought_ms: int, fires: int
) -> None:
    shop.rule("abandoned", ABANDONED)
    shop.happens("add_to_cart", ago_ms=40_000)
    await shop.passes(bought_ms / 1000)
    shop.happens("purchase")
    await shop.passes(60)
    await shop.passes(1)
    assert len(shop.fires()) == fires


async def test_a_mistake_in_one_tick_does_not_end_the_worker(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.rule("lingers", HOVER)
    shop.happens("hover", duration_ms=3000)
    read, mistakes = shop.warehouse.query, [RuntimeError("a mistake of ours")]

    def mistaken(sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        if mistakes and "event_feed" in sql:
            raise mistakes.pop()
        return read(sql, parameters)

    monkeypatch.setattr(shop.warehouse, "query", mistaken)
    monkeypatch.setattr(worker, "RETRY_SECONDS", 0.0)
    running = asyncio.create_task(shop.worker.run())
    await until(lambda: bool(shop.sent()))
    running.cancel()
    await asyncio.wait([running])
    assert shop.sent() == ["anna"]


async def test_events_of_eight_days_that_come_at_once_address_nobody_eight_times(shop: Shop) -> None:
    text = "when: view_item\nevery: 1d\nsend:\n  - banner: hello\n"
    shop.rule("daily", text)
    for days in range(8):
        shop.happens("view_item", ago_ms=days * 24 * HOUR_MS + 6_000, product_id=f"p{days}")
    await shop.passes(1)
    await shop.passes(1)
    assert shop.fires() == [("daily", "anna", "", -6_000)]
    assert shop.sent() == ["anna"]
    start = shop.now_ms - 30 * 24 * HOUR_MS
    replayed = replays.firings(replays.replay(shop.warehouse, f"id: daily\n{text}", since=start, until=shop.now_ms))
    assert [one.at - START_MS for one in replayed] == [-6_000]
    shop.happens("view_item", ago_ms=2 * 24 * HOUR_MS + 7_000)
    await shop.starts()
    await shop.passes(1)
    await shop.passes(1)
    assert len(shop.fires()) == 1, "a worker that starts anew knows when it addressed somebody"
