from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace

from demo_store.cart import MAX_LINES, MAX_QUANTITY, Cart, CartLine, put_line, set_coupon, total_up
from demo_store.catalogue import Product, load_catalogue
from demo_store.prices import shipping_option

PRODUCTS = load_catalogue().products


def line(price: str = "10.00", quantity: int = 1, stock: int = 100, size: str = "") -> CartLine:
    product = replace(PRODUCTS[0], price=Decimal(price), stock=stock)
    return CartLine(product, product.colours[0], size, quantity)


def cart_worth(goods: str, coupon: str | None = None) -> Cart:
    return set_coupon(put_line(Cart(), line(goods)), coupon)


def test_a_line_is_put_in_place_of_the_same_variant() -> None:
    cart = put_line(put_line(Cart(), line(quantity=2)), line(quantity=3))
    assert [entry.quantity for entry in cart.lines] == [3]


def test_another_size_or_colour_is_another_line() -> None:
    large, small = line(size="L"), line(size="S")
    other_colour = replace(small, colour=PRODUCTS[0].colours[1])
    cart = put_line(put_line(put_line(Cart(), large), small), other_colour)
    assert [entry.variant for entry in cart.lines] == ["Pine, L", "Pine, S", "Ochre, S"]


@pytest.mark.parametrize(
    ("wanted", "stock", "allowed"),
    [(3, 100, 3), (99, 100, MAX_QUANTITY), (5, 2, 2), (0, 100, 0), (-4, 100, 0), (1, 0, 0)],
)
def test_a_quantity_is_held_to_stock_and_limit(wanted: int, stock: int, allowed: int) -> None:
    cart = put_line(Cart(), line(quantity=wanted, stock=stock))
    assert cart.count == allowed
    assert len(cart.lines) == (1 if allowed else 0)


def test_a_full_cart_takes_no_new_line_but_changes_old_ones() -> None:
    cart = Cart()
    for number in range(MAX_LINES + 5):
        cart = put_line(cart, line(size=str(number)))
    assert len(cart.lines) == MAX_LINES
    assert put_line(cart, line(size="0", quantity=4)).count == MAX_LINES + 3


def test_a_cart_is_never_changed_itself() -> None:
    empty = Cart()
    put_line(empty, line())
    assert empty == Cart()


@pytest.mark.parametrize(
    ("goods", "coupon", "shipping", "discount", "shipping_price", "total"),
    [
        ("50.00", None, None, "0.00", None, "50.00"),
        ("50.00", None, "standard", "0.00", "5.90", "55.90"),
        ("79.99", None, "standard", "0.00", "5.90", "85.89"),
        ("80.00", None, "standard", "0.00", "0.00", "80.00"),
        ("80.00", None, "express", "0.00", "12.90", "92.90"),
        ("80.00", "WELCOME10", "standard", "8.00", "5.90", "77.90"),
        ("329.00", "THANKYOU15", "pickup", "49.35", "3.90", "283.55"),
        ("0.99", "WELCOME10", "pickup", "0.10", "3.90", "4.79"),
    ],
)
def test_totals(
    goods: str, coupon: str | None, shipping: str | None, discount: str, shipping_price: str | None, total: str
) -> None:
    totals = total_up(cart_worth(goods, coupon), shipping_option(shipping) if shipping else None)
    assert totals.discount == Decimal(discount)
    assert totals.shipping == (None if shipping_price is None else Decimal(shipping_price))
    assert totals.total == Decimal(total)


@pytest.mark.parametrize(
    ("goods", "coupon", "missing"),
    [("30.00", None, "50.00"), ("80.00", None, "0.00"), ("200.00", None, "0.00"), ("80.00", "WELCOME10", "8.00")],
)
def test_what_is_missing_for_free_shipping_counts_after_the_coupon(
    goods: str, coupon: str | None, missing: str
) -> None:
    assert total_up(cart_worth(goods, coupon)).missing_for_free_shipping == Decimal(missing)


def test_vat_is_contained_in_the_total() -> None:
    assert total_up(cart_worth("119.00")).vat == Decimal("19.00")


variants = some.builds(
    CartLine,
    some.sampled_from(PRODUCTS),
    some.sampled_from(PRODUCTS[0].colours),
    some.sampled_from(["", "S", "L"]),
    some.integers(-3, 30),
)


@given(some.lists(variants, max_size=30), some.sampled_from([None, "WELCOME10", "THANKYOU15"]))
def test_the_parts_of_any_cart_add_up_to_the_cent(lines: list[CartLine], coupon: str | None) -> None:
    cart = Cart()
    for entry in lines:
        cart = put_line(cart, entry)
    totals = total_up(set_coupon(cart, coupon), shipping_option("express"))
    assert totals.goods == sum(_price(entry.product, entry.quantity) for entry in cart.lines)
    assert totals.total == totals.goods - totals.discount + Decimal("12.90")
    assert totals.total.as_tuple().exponent == -2
    assert all(0 < entry.quantity <= entry.product.stock for entry in cart.lines)


def _price(product: Product, quantity: int) -> Decimal:
    return product.price * quantity
