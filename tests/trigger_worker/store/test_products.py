"""Products of a site, and how they belong together."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.trigger_worker.stored import NOON, event_row, store
from trigger_worker.store import products
from trigger_worker.store.products import Product, Recommendations, is_out_of_stock, read_recommendations
from warehouse.connection import Warehouse


@pytest.mark.parametrize(
    ("in_stock", "availability", "expected"),
    [
        ("", "", False),
        ("true", "", False),
        ("false", "", True),
        ("0", "", True),
        ('"false"', "", True),
        ("", "http://schema.org/SoldOut", True),
        ("", "out_of_stock", True),
        ("", "Out of stock", True),
        ("", "Discontinued", True),
        ("", "PreOrder", False),
        ("", "InStock", False),
    ],
)
def test_a_product_is_sold_out_when_it_is_known_to_be(in_stock: str, availability: str, expected: bool) -> None:
    assert is_out_of_stock(in_stock, availability) is expected


DAY = 24 * 3_600_000


_orders = itertools.count()


def order(*products: str, **fields: Any) -> dict[str, Any]:
    number = next(_orders)
    items = [{"product_id": product} for product in products]
    return event_row("purchase", f"visitor-{number}", NOON - 1000, order_id=f"order-{number}", items=items, **fields)


def look(product: str, visitor: str = "anna", ago: int = 1000, **fields: Any) -> dict[str, Any]:
    return event_row("view_item", visitor, NOON - ago, product_id=product, **fields)


def recommendations_of(warehouse: Warehouse, *rows: dict[str, Any]) -> Recommendations:
    store(warehouse, *rows)
    return read_recommendations(warehouse, "shop", NOON)


def test_what_is_bought_together_is_ranked_by_lift(warehouse: Warehouse) -> None:
    """Of ten orders four hold a tent, all of them bread, three pegs: pegs say more about a tent than bread does.

    lift(tent, pegs) = 3 * 10 / (4 * 3) = 2.5; lift(tent, bread) = 4 * 10 / (4 * 10) = 1, which is chance.
    lift(tent, lamp) = 3 * 10 / (4 * 4) = 1.875. The lamp and the tent say as much about pegs: the name decides.
    """
    found = recommendations_of(
        warehouse,
        order("tent", "pegs", "lamp", "bread"),
        order("tent", "pegs", "lamp", "bread"),
        order("tent", "pegs", "lamp", "bread"),
        order("tent", "bread"),
        order("lamp", "bread"),
        *(order("bread") for _ in range(5)),
    )
    assert found.complementary == {"tent": ["pegs", "lamp"], "pegs": ["lamp", "tent"], "lamp": ["pegs", "tent"]}


def test_pairs_that_few_baskets_hold_are_chance(warehouse: Warehouse) -> None:
    found = recommendations_of(
        warehouse, *(order("tent", "pegs") for _ in range(2)), *(order("bread") for _ in range(5))
    )
    assert found.complementary == {}


def test_an_order_of_one_product_without_items_is_a_basket(warehouse: Warehouse) -> None:
    single = event_row("purchase", "bob", NOON - 1000, product_id="bread", order_id="single")
    found = recommendations_of(warehouse, *(order("tent", "pegs") for _ in range(3)), single)
    assert found.complementary == {"tent": ["pegs"], "pegs": ["tent"]}


def test_an_order_that_was_sent_twice_is_one_basket(warehouse: Warehouse) -> None:
    twice = {"order_id": "same", "items": [{"product_id": "tent"}, {"product_id": "pegs"}]}
    rows = [event_row("purchase", "bob", NOON - 1000, event_id=f"e{number}", **twice) for number in range(3)]
    assert recommendations_of(warehouse, *rows, *(order("bread") for _ in range(5))).complementary == {}


def test_a_basket_is_paired_up_to_a_bound(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "MAX_TOGETHER", 2)
    found = recommendations_of(warehouse, *(order("a", "b", "c") for _ in range(3)), *(order("z") for _ in range(3)))
    assert found.complementary == {"a": ["b"], "b": ["a"]}


def test_what_is_looked_at_in_one_session_is_related(warehouse: Warehouse) -> None:
    sessions = [
        look(product, visitor, session_id=f"of-{visitor}")
        for visitor in ("anna", "bob", "cleo")
        for product in ("tent", "pegs")
    ]
    others = [look("bread", f"other-{number}", session_id="s") for number in range(3)]
    apart = [look("bread", "anna", 5000, session_id="another")]
    assert recommendations_of(warehouse, *sessions, *others, *apart).also_viewed == {"tent": ["pegs"], "pegs": ["tent"]}


def test_what_more_people_than_usual_look_at_is_trending(warehouse: Warehouse) -> None:
    """The tent has 5 people today and 1 on an average day, the lamp 4 and none, bread 5 every day; a pair is chance."""
    week = [
        *(look("tent", f"t{day}", day * DAY + 1000) for day in range(1, 8)),
        *(look("bread", f"b{day}-{number}", day * DAY + 1000) for day in range(1, 8) for number in range(5)),
    ]
    today = [
        *(look("tent", f"today-{number}") for number in range(5)),
        *(look("lamp", f"today-{number}") for number in range(4)),
        *(look("bread", f"today-{number}") for number in range(5)),
        *(look("pegs", f"today-{number}") for number in range(2)),
    ]
    assert recommendations_of(warehouse, *week, *today).trending == ["lamp", "tent"]


def test_the_latest_look_tells_what_a_product_is(warehouse: Warehouse) -> None:
    found = recommendations_of(
        warehouse,
        look("tent", ago=3000, name="Tent", price=90, currency="EUR", category="tents", image="/old.svg"),
        look("tent", ago=2000, name="Great tent", price=80, image="/tent.svg", url="https://shop.example/tent"),
        look("tent", ago=1000),
        look("elsewhere", site="other"),
        look("forgotten", ago=products.LOOKBACK_MS + 1),
    )
    assert found.products == {
        "tent": Product(
            product_id="tent",
            name="Great tent",
            category="tents",
            price=80,
            currency="EUR",
            image="/tent.svg",
            url="https://shop.example/tent",
        )
    }


@pytest.mark.parametrize(
    ("told", "is_sold_out"),
    [
        ([{"in_stock": False}], True),
        ([{"in_stock": True}], False),
        ([{"availability": "https://schema.org/OutOfStock"}], True),
        ([{"availability": "InStock"}], False),
        ([{"in_stock": False}, {"in_stock": True}], False),
        ([{"in_stock": True}, {"in_stock": False}], True),
        ([{}], False),
    ],
)
def test_the_latest_look_tells_what_is_sold_out(
    warehouse: Warehouse, told: list[dict[str, Any]], is_sold_out: bool
) -> None:
    found = recommendations_of(
        warehouse, *(look("tent", ago=9000 - number, **each) for number, each in enumerate(told))
    )
    assert found.sold_out == ({"tent"} if is_sold_out else set())
