from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from demo_store.cart import Cart
from demo_store.checkout_options import PAYMENT_OPTIONS, shipping_option
from demo_store.order import Contact, Order

CONTACT = Contact("ada@example.com", "Ada", "Lovelace", "Lane 1", "10115", "Berlin", "Germany")


@pytest.mark.parametrize(
    ("shipping", "placed", "first", "last"),
    [
        ("standard", date(2026, 11, 23), date(2026, 11, 25), date(2026, 11, 27)),
        ("express", date(2026, 11, 27), date(2026, 11, 30), date(2026, 11, 30)),
        ("pickup", date(2026, 11, 21), date(2026, 11, 24), date(2026, 11, 27)),
    ],
)
def test_a_parcel_travels_on_working_days(shipping: str, placed: date, first: date, last: date) -> None:
    option = shipping_option(shipping)
    assert option is not None
    placed_at = datetime(placed.year, placed.month, placed.day, 12, tzinfo=UTC)
    order = Order("TT-1", placed_at, Cart(), CONTACT, option, PAYMENT_OPTIONS[0])
    assert order.arrives == (first, last)
