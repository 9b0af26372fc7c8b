"""`recommend` in a template."""

from __future__ import annotations

import pytest

from tests.trigger_worker.stored import NOON, event_row, store
from trigger_worker.deciding.recipient.shopping import CartContext, CartItem
from trigger_worker.delivery.content.engine import MissingFacts
from trigger_worker.delivery.offers.recommendations import (
    FRESH_MS,
    Recommend,
    RecommendationRequest,
    Recommender,
)
from trigger_worker.store.products import Product, Recommendations
from warehouse.connection import Warehouse

NAMES = ("tent", "pegs", "lamp", "mat", "rope")
RECOMMENDATIONS = Recommendations(
    products={name: Product(product_id=name, name=name.title()) for name in NAMES},
    sold_out=frozenset({"rope"}),
    complementary={"tent": ["tent", "rope", "pegs", "lamp", "mat", "forgotten"]},
    also_viewed={"tent": ["mat", "rope", "lamp"]},
    trending=["rope", "lamp", "tent"],
)


def recommend(cart: str = "", bought: str = "", recent: tuple[str, ...] = ()) -> Recommend:
    items = (CartItem(product_id=cart, quantity=1),) if cart else ()
    order = {"items": [{"product_id": bought}, "no item"]} if bought else {"items": "none"}
    return Recommend(
        lambda: RECOMMENDATIONS,
        CartContext(items=items),
        order,
        [RECOMMENDATIONS.products[name] for name in recent],
        dict,
    )


def ids(products: list[dict[str, object]]) -> list[object]:
    return [product["product_id"] for product in products]


def test_neither_the_product_itself_nor_what_is_sold_out_or_forgotten_is_recommended() -> None:
    assert ids(recommend().complementary("tent", 5)) == ["pegs", "lamp", "mat"]
    assert ids(recommend().also_viewed("tent")) == ["mat", "lamp"]
    assert ids(recommend().trending()) == ["lamp", "tent"]


def test_neither_what_is_in_the_cart_nor_what_was_bought_is_recommended() -> None:
    asked = recommend(cart="pegs", bought="mat", recent=("mat", "rope", "tent", "pegs"))
    assert ids(asked.complementary("tent")) == ["lamp"]
    assert ids(asked.recently_viewed()) == ["tent"]


@pytest.mark.parametrize(
    ("limit", "expected"), [(1, 1), (0, 0), (-1, 0), (2, 2), (99, 3), ("all", 3), (None, 3), (True, 3)]
)
def test_a_limit_that_makes_no_sense_is_three(limit: object, expected: int) -> None:
    assert len(recommend().complementary("tent", limit)) == expected


@pytest.mark.parametrize("product_id", [None, 7, "", "unknown", ["tent"]])
def test_what_is_no_product_has_none_beside_it(product_id: object) -> None:
    assert recommend().complementary(product_id) == []
    assert recommend().also_viewed(product_id) == []


REQUEST = RecommendationRequest("shop")


def test_recommendations_are_read_when_they_are_first_asked_for(warehouse: Warehouse) -> None:
    recommender = Recommender(warehouse)
    assert recommender.outdated(NOON) == []
    with pytest.raises(MissingFacts) as missing:
        recommender.recommendations("shop")
    assert missing.value.request == REQUEST
    store(warehouse, event_row("view_item", at=NOON, product_id="tent"))
    recommender.read(REQUEST, NOON)
    assert list(recommender.recommendations("shop").products) == ["tent"]


def test_outdated_recommendations_serve_and_are_read_anew_when_somebody_asked_for_them(warehouse: Warehouse) -> None:
    recommender = Recommender(warehouse)
    recommender.read(REQUEST, NOON)
    assert recommender.outdated(NOON + FRESH_MS) == []
    recommender.recommendations("shop")
    assert recommender.outdated(NOON + FRESH_MS - 1) == []
    assert recommender.recommendations("shop").read_at == NOON
    assert recommender.outdated(NOON + FRESH_MS) == [REQUEST]
    assert recommender.outdated(NOON + FRESH_MS) == []
