"""One order, told by everybody who tells of orders, counts once: from the messages to rules, reports and SQL."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.intake import pipeline
from collector.intake.draft import Receipt
from collector.sites import Site
from tests.trigger_worker.rules.evaluate.support import rule
from tests.trigger_worker.store.decided import VERSION, decide
from tests.trigger_worker.stored import NOON
from trigger_worker.deciding.gate.policy import Policy
from trigger_worker.replay.backtest import Backtest
from trigger_worker.rules.evaluate.compiled_rule import compile_rule
from trigger_worker.rules.model import NO_AUDIENCES
from trigger_worker.store.active import Range
from trigger_worker.store.arm_data import read_arm_data
from warehouse.connection import Warehouse

EURO = Site("shop", "shop-key", currency="EUR", rates={"USD": 0.5})
GOAL = rule("id: lingers\nwhen: hover\ngoal: purchase within 1h\nsend: [{banner: hello}]")
DAY = 86_400_000
#: Who tells: the receipt's facts, and the ids in the message. `phone` is the browser of `u1`, as a login said.
PAGE = {"anonymousId": "phone"}
TELLERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "the page": ({}, PAGE),
    "the reloaded page": ({}, PAGE),
    "the page of a known user": ({"is_from_server": True}, {**PAGE, "userId": "u1"}),
    "the shop's server": ({"is_from_server": True}, {"userId": "u1"}),
    "an import": ({"source": "import"}, {"userId": "u1"}),
}
#: How the order is told: in which words, with how much detail.
WORDS: dict[str, dict[str, Any]] = {
    "ours": {"event": "purchase", "properties": {"order_id": "1001", "value": 80, "currency": "EUR"}},
    "GA4": {"event": "purchase", "properties": {"transaction_id": "#1001", "value": 80.0, "currency": "EUR"}},
    "Segment": {"event": "Order Completed", "properties": {"order_id": 1001, "total": "80.00", "currency": "eur"}},
    "no currency": {"event": "purchase", "properties": {"order_id": "1001", "value": 80}},
    "dollars": {"event": "purchase", "properties": {"order_id": "1001", "value": 160, "currency": "USD"}},
    "items": {
        "event": "purchase",
        "properties": {"order_id": "1001", "value": 80, "items": [{"item_id": "p1", "price": 80, "quantity": 1}]},
    },
    "no value": {"event": "purchase", "properties": {"order_id": "1001"}},
}
_numbers = itertools.count()


def tell(warehouse: Warehouse, message: dict[str, Any], at: int, **facts: Any) -> None:
    """Take a message as the collector does, but for the journal, and store its row."""
    whole = {"type": "track", "messageId": f"m-{next(_numbers)}", "timestamp": at, **message}
    receipt = Receipt(received_at=at, **facts)
    outcome = pipeline.run([msgspec.Raw(msgspec.json.encode(whole))], EURO, receipt, {})
    assert outcome.drops == []
    warehouse.insert_lines("events", b"\n".join(outcome.lines), uuid.uuid4().hex)


def tell_order(warehouse: Warehouse, teller: str, words: str, at: int) -> None:
    facts, who = TELLERS[teller]
    tell(warehouse, {**WORDS[words], **who}, at, **facts)


def log_in(warehouse: Warehouse) -> None:
    tell(warehouse, {"event": "login", **PAGE, "userId": "u1"}, NOON - DAY, is_from_server=True)


def fires(warehouse: Warehouse, condition: str = "") -> list[int]:
    """Return after how many ms from NOON a rule on purchases fires, told by a backtest."""
    asked = compile_rule(rule(f"id: bought\nwhen: purchase\nevery: 0s\n{condition}"), NO_AUDIENCES)
    backtest = Backtest(warehouse, [asked], Policy(), Range(NOON, NOON + DAY), NOON + 2 * DAY)
    return [firing.at - NOON for page in backtest.run(["shop"]) for firing in page.firings]


def revenue(warehouse: Warehouse) -> list[tuple[int, dict[str, float]]]:
    """Return conversions and revenue of the arms."""
    arms = read_arm_data(warehouse, GOAL, VERSION, NOON + DAY)
    return [(arm.conversions, {each.currency: each.revenue for each in arm.spendings}) for arm in arms]


@pytest.mark.parametrize("second", TELLERS)
@pytest.mark.parametrize("first", ["the page", "the shop's server"])
def test_an_order_that_two_tell_counts_once(warehouse: Warehouse, first: str, second: str) -> None:
    log_in(warehouse)
    decide(warehouse, "u1")
    tell_order(warehouse, first, "ours", NOON + 1000)
    tell_order(warehouse, second, "GA4", NOON + 4000)
    assert fires(warehouse) == [1000]
    assert fires(warehouse, "if: sum(purchase.value, 1d) == 80 and count(purchase, 1d) == 1") == [1000]
    assert list(warehouse.query("SELECT order_id, value, currency, net FROM orders")) == [("1001", 80, "EUR", 80)]
    assert revenue(warehouse) == [(1, {"EUR": 80.0})]


@given(tellings=st.lists(st.tuples(st.sampled_from([*TELLERS]), st.sampled_from([*WORDS])), min_size=1, max_size=6))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_order_counts_once_whoever_tells_it_in_whichever_words(
    embedded_warehouse: Warehouse, tellings: list[tuple[str, str]]
) -> None:
    for table in ("events", "identity", "decisions", "fires"):
        embedded_warehouse.command(f"TRUNCATE TABLE {table}")
    log_in(embedded_warehouse)
    decide(embedded_warehouse, "u1")
    for number, (teller, words) in enumerate(tellings, 1):
        tell_order(embedded_warehouse, teller, words, NOON + 1000 * number)
    is_valued = any(words != "no value" for _, words in tellings)
    assert fires(embedded_warehouse) == [1000]
    assert list(embedded_warehouse.query("SELECT order_id, value FROM orders")) == [("1001", 80 if is_valued else None)]
    assert revenue(embedded_warehouse) == [(1, {"EUR": 80.0} if is_valued else {})]


@pytest.mark.parametrize("refund_first", [True, False])
def test_a_refund_is_off_whether_it_is_told_before_its_order_or_after(warehouse: Warehouse, refund_first: bool) -> None:
    log_in(warehouse)
    decide(warehouse, "u1")
    paid_back = {"order_id": "1001", "refund_id": 7, "value": 30, "currency": "EUR"}
    refund = {"event": "Order Refunded", "userId": "u1", "properties": paid_back}
    if refund_first:
        tell(warehouse, refund, NOON + 500, is_from_server=True)
    tell_order(warehouse, "the shop's server", "ours", NOON + 1000)
    for at in (2000, 3000):
        tell(warehouse, refund, NOON + at, is_from_server=True)
    assert list(warehouse.query("SELECT value, refunded, net FROM orders")) == [(80, 30, 50)]
    assert revenue(warehouse) == [(1, {"EUR": 50.0})]


def test_one_order_id_of_two_sites_is_two_orders(warehouse: Warehouse) -> None:
    tell_order(warehouse, "the page", "ours", NOON)
    other = {**WORDS["ours"], **PAGE, "type": "track", "messageId": "m"}
    raw = [msgspec.Raw(msgspec.json.encode(other))]
    lines = pipeline.run(raw, Site("other", "other-key"), Receipt(received_at=NOON), {}).lines
    warehouse.insert_lines("events", lines[0], uuid.uuid4().hex)
    found = warehouse.query("SELECT site, order_id, net FROM orders ORDER BY site")
    assert list(found) == [("other", "1001", 80), ("shop", "1001", 80)]
