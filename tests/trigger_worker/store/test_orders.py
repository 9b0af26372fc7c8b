"""Orders count once in what is asked of ClickHouse, whoever told of them; refunds are off, currencies apart."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trigger_worker.rules.evaluate.support import rule
from tests.trigger_worker.store.decided import VERSION, decide
from tests.trigger_worker.stored import NOON, event_row, store
from trigger_worker.store.arm_data import read_arm_data
from trigger_worker.store.products import read_recommendations
from trigger_worker.store.statements import statement
from warehouse.connection import Warehouse

BOUGHT = rule("id: lingers\nwhen: hover\ngoal: purchase within 1h\nsend: [{banner: hello}]")
HOUR = 3_600_000
LATER = NOON + 100 * HOUR
VIEW = "SELECT site, order_id, value, currency, refunded, net, toUnixTimestamp64Milli(first_ts), visitor_id FROM orders"


def told(event: str, visitor: str, after: int = 1, **fields: Any) -> dict[str, Any]:
    """A row about order 1001, unless fields say otherwise, some ms after NOON."""
    return event_row(event, visitor, NOON + after, **{"order_id": "1001", **fields})


def orders(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    """The orders of the site `shop`: id, value, currency, refunded, net, ms after NOON, visitor."""
    rows = warehouse.query(f"{VIEW} WHERE site = 'shop' ORDER BY order_id")
    return [(*row[1:6], row[6] - NOON, row[7]) for row in rows]


def revenue(warehouse: Warehouse, until: int = LATER) -> dict[str, tuple[int, int, dict[str, float]]]:
    """By arm: visitors, conversions, and revenue by currency."""
    return {
        arm.arm: (arm.visitors, arm.conversions, {each.currency: each.revenue for each in arm.spendings})
        for arm in read_arm_data(warehouse, BOUGHT, VERSION, until)
    }


def test_an_order_is_one_row_whoever_told_of_it(warehouse: Warehouse) -> None:
    store(
        warehouse,
        told("purchase", "phone", 1000, value=80.0, currency="EUR"),
        told("purchase", "phone", 2000, value=80.0, currency="EUR"),
        told("purchase", "phone", 3000, user="u1", value=80.0, currency="EUR"),
        told("purchase", "phone", 1000, site="other", value=5.0),
        told("purchase", "phone", 1000, order_id="", value=7.0),
        told("purchase", "phone", 1500, order_id="1002", value=1.0, currency="JPY"),
    )
    assert orders(warehouse) == [
        ("1001", 80.0, "EUR", 0.0, 80.0, 1000, "u1"),
        ("1002", 1.0, "JPY", 0.0, 1.0, 1500, "u1"),
    ]
    assert len(warehouse.query(VIEW)) == 3


def test_what_the_server_tells_goes_before_what_pages_tell_and_the_first_telling_dates_the_order(
    warehouse: Warehouse,
) -> None:
    store(
        warehouse,
        told("purchase", "phone", 1, value=1.0, currency="EUR"),
        told("purchase", "customer", 9, value=80.0, currency="USD", proven_by="server"),
        told("purchase", "customer", 10, value=81.0, currency="USD", source="import"),
    )
    assert orders(warehouse) == [("1001", 80.0, "USD", 0.0, 80.0, 1, "customer")]


def test_the_value_is_that_of_a_telling_that_has_one(warehouse: Warehouse) -> None:
    store(warehouse, told("purchase", "phone", 1, currency="EUR"), told("purchase", "phone", 2, order_id="1002"))
    store(warehouse, told("purchase", "phone", 5, value=80.0, currency="EUR"))
    assert orders(warehouse) == [
        ("1001", 80.0, "EUR", 0.0, 80.0, 1, "phone"),
        ("1002", None, "", None, None, 2, "phone"),
    ]


@pytest.mark.parametrize(
    ("refunds", "net"),
    [
        pytest.param([{"value": 30.0}], 50.0, id="in part"),
        pytest.param([{"value": -30.0}], 50.0, id="in part, below 0"),
        pytest.param([{}], 0.0, id="as a whole"),
        pytest.param([{"value": 30.0, "event_id": "r1"}, {"value": 30.0, "event_id": "r1"}], 50.0, id="told twice"),
        pytest.param([{"value": 30.0}, {"value": 20.0}], 30.0, id="twice"),
        pytest.param([{"value": 70.0}, {"value": 70.0}], 0.0, id="more than it was worth"),
        pytest.param([{"value": 30.0}, {}], 0.0, id="in part and as a whole"),
        pytest.param([{"value": 30.0, "after": -5000}], 50.0, id="before it was bought"),
        pytest.param([{"value": 30.0, "currency": "USD"}], 80.0, id="in another currency"),
        pytest.param([{"value": 30.0, "order_id": "1009"}], 80.0, id="of another order"),
        pytest.param([{"value": 30.0, "site": "other"}], 80.0, id="of another site"),
        pytest.param([{"value": 30.0, "visitor": "stranger"}], 80.0, id="told by a stranger"),
        pytest.param([{"value": 30.0, "visitor": "x", "proven_by": "server"}], 50.0, id="told by the server"),
        pytest.param([{"value": 30.0, "visitor": "x", "source": "import"}], 50.0, id="told by an import"),
        pytest.param([{"value": 30.0, "user": "u1"}], 50.0, id="told under another id of the person"),
    ],
)
def test_refunds_are_off_in_the_view_and_in_results(
    warehouse: Warehouse, refunds: list[dict[str, Any]], net: float
) -> None:
    decide(warehouse, "phone")
    store(warehouse, told("purchase", "phone", value=80.0, currency="EUR"))
    for refund in refunds:
        fields = {"visitor": "phone", "after": 5000, **refund}
        currency = {"currency": fields.get("currency", "EUR")} if "value" in fields else {}
        store(warehouse, told("refund", fields.pop("visitor"), fields.pop("after"), **{**fields, **currency}))
    assert [(row[3], row[4]) for row in orders(warehouse)] == [(80.0 - net, net)]
    assert revenue(warehouse) == {"treated": (1, 1, {"EUR": net} if net else {})}


def test_results_count_an_order_once_however_often_it_is_told(warehouse: Warehouse) -> None:
    decide(warehouse, "phone")
    store(warehouse, event_row("login", "phone", NOON - 5, user="u1"))
    for after, user in ((1000, ""), (2000, ""), (3000, "u1")):
        store(warehouse, told("purchase", "phone", after, user=user, value=80.0, currency="EUR"))
    assert revenue(warehouse) == {"treated": (1, 1, {"EUR": 80.0})}


def test_an_order_told_before_the_exposure_is_none_after_it(warehouse: Warehouse) -> None:
    store(warehouse, event_row("login", "phone", NOON - 5, user="u1"))
    store(warehouse, told("purchase", "phone", -1000, value=80.0))
    decide(warehouse, "phone")
    store(warehouse, told("purchase", "phone", 1000, user="u1", value=80.0))
    assert revenue(warehouse) == {"treated": (1, 0, {})}


def test_an_order_told_by_two_people_counts_for_the_one_whom_the_server_names_else_for_the_first(
    warehouse: Warehouse,
) -> None:
    for visitor, arm in (("phone", "plain"), ("laptop", "coupon"), ("customer", "webhook")):
        decide(warehouse, visitor, arm)
    store(
        warehouse,
        told("purchase", "laptop", 1, value=80.0),
        told("purchase", "phone", 2, value=80.0),
        told("purchase", "laptop", 3, value=20.0, order_id="1002"),
        told("purchase", "customer", 4, value=20.0, order_id="1002", proven_by="server"),
        told("purchase", "stranger", 0, value=5.0, order_id="1003"),
        told("purchase", "phone", 3, value=5.0, order_id="1003"),
    )
    assert revenue(warehouse) == {
        "coupon": (1, 1, {"": 80.0}),
        "plain": (1, 1, {"": 5.0}),
        "webhook": (1, 1, {"": 20.0}),
    }


def test_currencies_are_never_added(warehouse: Warehouse) -> None:
    decide(warehouse, "phone")
    amounts = (("1", 80.0, "EUR"), ("2", 9000.0, "JPY"), ("3", 20.0, "EUR"), ("", 5.0, "USD"))
    for order_id, value, currency in amounts:
        store(warehouse, told("purchase", "phone", order_id=order_id, value=value, currency=currency))
    assert revenue(warehouse) == {"treated": (1, 1, {"EUR": 100.0, "JPY": 9000.0, "USD": 5.0})}


def test_what_was_paid_back_later_is_not_off_as_of_then(warehouse: Warehouse) -> None:
    decide(warehouse, "phone")
    store(warehouse, told("purchase", "phone", value=80.0), told("refund", "phone", 5000, value=30.0))
    assert revenue(warehouse, NOON + 4999) == {"treated": (1, 1, {"": 80.0})}
    assert revenue(warehouse, NOON + 5000) == {"treated": (1, 1, {"": 50.0})}


def test_an_order_is_one_basket_whoever_told_of_it(warehouse: Warehouse) -> None:
    def basket(visitor: str, order_id: str, *products: str) -> dict[str, Any]:
        return told("purchase", visitor, order_id=order_id, items=[{"product_id": each} for each in products])

    store(warehouse, *(basket(visitor, "1001", "a", "b") for visitor in ("phone", "laptop", "u1", "x")))
    store(warehouse, *(basket("other", f"c{number}", "c", "d") for number in range(4)))
    assert read_recommendations(warehouse, "shop", LATER).complementary.keys() == {"c", "d"}


@given(st.randoms(use_true_random=True))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_view_says_what_adding_up_by_hand_does(embedded_warehouse: Warehouse, random: Random) -> None:
    embedded_warehouse.command("TRUNCATE TABLE events")
    rows = [_any_telling(random, number) for number in range(random.randrange(1, 30))]
    store(embedded_warehouse, *rows)
    until = statement("orders").rstrip()
    asked = f"SELECT site, order_id, value, currency, refunded, net FROM ({until}) ORDER BY ALL"
    found = embedded_warehouse.query(asked, {"until": LATER})
    assert [tuple(row) for row in found] == _by_hand(rows)
    view = embedded_warehouse.query("SELECT site, order_id, value, currency, refunded, net FROM orders ORDER BY ALL")
    assert list(view) == list(found)


def _any_telling(random: Random, number: int) -> dict[str, Any]:
    event = random.choice(["purchase", "purchase", "refund"])
    fields: dict[str, Any] = {
        "order_id": random.choice(["1", "2", "3", ""]),
        "site": random.choice(["shop", "shop", "other"]),
        "currency": random.choice(["EUR", "EUR", "USD", ""]),
        "event_id": f"e{number}",
    }
    if random.random() < 0.7:
        fields["value"] = float(random.choice([10, 20, 80]))
    if event == "refund":
        # As intake does: what is told of one refund agrees.
        fields["event_id"] = f"{fields['order_id']} {fields.get('value')} {fields['currency']}"
    if random.random() < 0.3:
        fields["proven_by"] = "server"
    return event_row(event, random.choice(["phone", "laptop"]), NOON + random.randrange(20), **fields)


def _by_hand(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    found = []
    for site, order_id in sorted({(row["site"], row["order_id"]) for row in rows if row["event"] == "purchase"}):
        if not order_id:
            continue
        mine = [row for row in rows if (row["site"], row["order_id"]) == (site, order_id)]
        bought = [row for row in mine if row["event"] == "purchase"]
        tellers = {row["visitor_id"] for row in bought}
        refunds = [r for r in mine if r["event"] == "refund" and ("server" in r["props"] or r["visitor_id"] in tellers)]
        valued = sorted((row for row in bought if "value" in row), key=_standing)
        if not valued:
            found.append((site, order_id, None, "", None, None))
            continue
        value, currency = valued[0]["value"], valued[0]["currency"]
        back: dict[str, Any] = {}
        for refund in refunds:
            back.setdefault(refund["event_id"], []).append(refund)
        amounts = [_refunded(same, value, currency) for same in back.values()]
        refunded = min(value, sum(amounts))
        found.append((site, order_id, value, currency, refunded, value - refunded))
    return found


def _standing(row: dict[str, Any]) -> tuple[Any, ...]:
    return "server" not in row["props"], row["ts"], row["event_id"]


def _refunded(same: list[dict[str, Any]], value: float, currency: str) -> float:
    """What the rows of one refund pay back; they agree."""
    told_of = same[0]
    if "value" not in told_of:
        return value
    return float(told_of["value"]) if told_of["currency"] in ("", currency) else 0.0
