"""`recommend` in a template."""

from __future__ import annotations

import pytest

from trigger_worker.deciding.recipient.product import Product, is_out_of_stock
from trigger_worker.delivery.content.context import CartContext, CartItem
from trigger_worker.delivery.offers.recommend import Recommend
from trigger_worker.delivery.offers.recommendations import Recommendations

NAMES = ("tent", "pegs", "lamp", "mat", "rope")
SHELF = Recommendations(
    products={name: Product(product_id=name, name=name.title()) for name in NAMES},
    sold_out=frozenset({"rope"}),
    complementary={"tent": ["tent", "rope", "pegs", "lamp", "mat", "forgotten"]},
    also_viewed={"tent": ["mat", "rope", "lamp"]},
    trending=["rope", "lamp", "tent"],
)


def recommend(cart: str = "", bought: str = "", recent: tuple[str, ...] = ()) -> Recommend:
    items = (CartItem(product_id=cart, quantity=1),) if cart else ()
    order = {"items": [{"product_id": bought}, "no item"]} if bought else {"items": "none"}
    return Recommend(lambda: SHELF, CartContext(items=items), order, [SHELF.products[name] for name in recent])


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
