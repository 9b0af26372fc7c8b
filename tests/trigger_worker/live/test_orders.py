"""One order is one purchase for rules, whoever tells of it, when and under which id; on both engines."""

from __future__ import annotations

from typing import Any

import pytest

from tests.trigger_worker.rules.evaluate.support import rule
from tests.trigger_worker.shop import START_MS, Shop
from tests.trigger_worker.stored import store
from trigger_worker.deciding.gate.policy import Policy
from trigger_worker.replay.backtest import Backtest, Firing
from trigger_worker.rules.evaluate.compiled_rule import compile_rule
from trigger_worker.rules.model import NO_AUDIENCES
from trigger_worker.store.active import Range

ORDER: dict[str, Any] = {"order_id": "1001", "value": 80.0, "event_id": "purchase:1001"}
BOUGHT = "when: purchase\nevery: 0s\n"


def replayed(shop: Shop, text: str) -> list[int]:
    """Return the instants, ms since START_MS, at which a rule fires in a backtest up to now."""
    asked = compile_rule(rule(f"id: replayed\n{text}"), NO_AUDIENCES)
    backtest = Backtest(shop.warehouse, [asked], Policy(), Range(START_MS - 1000, shop.now_ms), shop.now_ms)
    firings: list[Firing] = [each for page in backtest.run(["shop"]) for each in page.firings]
    return sorted(each.at - START_MS for each in firings)


@pytest.mark.parametrize("knows", ["by the bus", "by the feed"])
@pytest.mark.parametrize("event_id", ["purchase:1001", "purchase:1001:unvalued", "m-2"])
async def test_an_order_that_the_page_and_the_server_tell_is_one_purchase(
    shop: Shop, knows: str, event_id: str
) -> None:
    shop.rule("bought", BOUGHT)
    shop.rule("twice", "when: purchase\nevery: 0s\nif: count(purchase, 1d) > 1 or sum(purchase.value, 1d) > 80\n")
    tell = shop.hears if knows == "by the bus" else shop.happens
    shop.happens("login", "phone", user="u1")
    await shop.passes(1)
    first = tell("purchase", "phone", **ORDER)
    await shop.passes(1)
    second = tell("purchase", "phone", user="u1", **{**ORDER, "event_id": event_id})
    await shop.passes(1)
    if knows == "by the bus":
        shop.accepted = {first: shop.accepted[first], second: shop.accepted[second]}
        for each in dict.fromkeys((first, second)):
            shop.arrives(each)
    await shop.passes(1)
    assert [(rule_id, at) for rule_id, _, _, at in shop.fires()] == [("bought", 1000)]
    await shop.starts()
    shop.happens("purchase", "phone", user="u1", order_id="1002", value=1.0)
    await shop.passes(1)
    assert [rule_id for rule_id, *_ in shop.fires()] == ["bought", "bought", "twice"]


async def test_the_same_order_id_of_two_sites_is_two_orders(shop: Shop) -> None:
    shop.rule("bought", BOUGHT)
    shop.happens("purchase", **ORDER)
    shop.happens("purchase", site="other", **ORDER)
    await shop.passes(1)
    assert len(shop.fires()) == 2


async def test_an_earlier_telling_that_comes_late_is_the_purchase_and_fires_nothing_again(shop: Shop) -> None:
    shop.rule("bought", BOUGHT)
    shop.rule("looked", "when: view_item\nevery: 0s\nif: since(purchase) > 8s and count(purchase, 1d) == 1\n")
    shop.happens("page_view")
    await shop.passes(10)
    shop.hears("purchase", **ORDER)
    await shop.passes(1)
    assert [at for rule_id, _, _, at in shop.fires() if rule_id == "bought"] == [10_000]
    shop.hears("purchase", ago_ms=9_000, **ORDER)
    await shop.passes(1)
    shop.hears("view_item")
    await shop.passes(1)
    assert [(rule_id, at) for rule_id, _, _, at in shop.fires()] == [("bought", 10_000), ("looked", 12_000)]


async def test_a_telling_without_a_time_of_its_own_is_no_purchase_once_another_has_one(shop: Shop) -> None:
    shop.rule("bought", BOUGHT)
    shop.happens("login", "phone", user="u1")
    await shop.passes(1)
    store(shop.warehouse, {**shop.row("purchase", "phone", **ORDER), "untimed": 1})
    await shop.passes(1)
    assert shop.fires() == []
    shop.happens("purchase", "phone", user="u1", **ORDER)
    await shop.passes(1)
    assert [at for *_, at in shop.fires()] == [2000]
    assert replayed(shop, BOUGHT) == [2000]


async def test_an_order_told_again_neither_starts_a_wait_nor_ends_one(shop: Shop) -> None:
    text = "when: purchase -> no purchase within 60s\nevery: 0s\n"
    shop.rule("quiet", text)
    shop.happens("login", "phone", user="u1")
    shop.happens("purchase", "phone", **ORDER)
    await shop.passes(30)
    shop.happens("purchase", "phone", user="u1", **ORDER)
    await shop.passes(31)
    await shop.passes(60)
    assert [at for *_, at in shop.fires()] == [60_000]
    assert replayed(shop, text) == [60_000]


async def test_a_cart_that_is_filled_after_an_order_survives_the_orders_repeat(shop: Shop) -> None:
    text = "when: hover\nevery: 0s\nif: cart.value == 20\n"
    shop.rule("filled", text)
    shop.happens("login", "phone", user="u1")
    shop.happens("purchase", "phone", **ORDER)
    await shop.passes(1)
    shop.happens("add_to_cart", "phone", value=20.0)
    await shop.passes(1)
    shop.happens("purchase", "phone", user="u1", **ORDER)
    await shop.passes(1)
    shop.happens("hover", "phone")
    await shop.passes(1)
    assert [at for *_, at in shop.fires()] == [3000]
    assert replayed(shop, text) == [3000]


async def test_an_order_told_again_long_after_it_is_none_for_a_rule_that_looks_back_a_day(shop: Shop) -> None:
    shop.rule("bought", BOUGHT)
    day = 86_400_000
    shop.happens("purchase", ago_ms=300 * day, stored_at=START_MS - 300 * day, **ORDER)
    shop.happens("purchase", **{**ORDER, "event_id": "m-7"})
    await shop.passes(1)
    assert shop.fires() == []
    assert replayed(shop, BOUGHT) == []


FOREIGN: dict[str, Any] = {"currency": "JPY", "foreign_currency": "JPY"}


@pytest.mark.parametrize(
    ("condition", "is_true"),
    [
        ("sum(purchase.value, 1d) == 80 and count(purchase, 1d) == 2", True),
        ("max(purchase.value, 1d) == 80 and last(purchase.value) == 80", False),
        ("count(purchase[value > 0], 1d) == 1", True),
        ('sum(purchase[currency == "JPY"].value, 1d) == 9000', True),
        ('count(purchase[currency == "JPY" and value >= 9000], 1d) == 1', True),
        ("cart.value == 20 and cart.items == 2", True),
    ],
)
async def test_money_in_a_foreign_currency_is_seen_only_by_who_names_the_currency(
    shop: Shop, condition: str, is_true: bool
) -> None:
    text = f"when: hover\nevery: 0s\nif: |\n  {condition}\n"
    shop.rule("asked", text)
    await shop.passes(1)
    shop.hears("purchase", ago_ms=500, **ORDER, currency="EUR")
    shop.hears("purchase", ago_ms=500, event_id="purchase:1002", order_id="1002", value=9000.0, **FOREIGN)
    shop.hears("add_to_cart", value=20.0, currency="EUR")
    shop.hears("add_to_cart", value=900.0, **FOREIGN)
    await shop.passes(1)
    shop.hears("hover")
    for each in list(shop.accepted):
        shop.arrives(each)
    await shop.passes(1)
    assert [at for *_, at in shop.fires()] == ([2000] if is_true else [])
    assert replayed(shop, text) == ([2000] if is_true else [])


async def test_a_refund_told_twice_is_one_and_another_refund_of_the_order_is_another(shop: Shop) -> None:
    text = "when: hover\nevery: 0s\nif: count(refund, 1d) == 2 and sum(refund.value, 1d) == 30\n"
    shop.rule("refunded", text)
    shop.happens("login", "phone", user="u1")
    for event_id, value in (("refund:1001:id=r1", 20.0), ("refund:1001:id=r2", 10.0), ("refund:1001:id=r1", 20.0)):
        await shop.passes(1)
        user = "u1" if shop.now_ms > START_MS + 2000 else ""
        shop.happens("refund", "phone", user=user, order_id="1001", value=value, event_id=event_id)
    await shop.passes(1)
    shop.happens("hover", "phone")
    await shop.passes(1)
    assert [at for *_, at in shop.fires()] == [4000]
    assert replayed(shop, text) == [4000]
