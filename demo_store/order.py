"""A placed order."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec

from demo_store.cart import Cart, Totals, total_up
from demo_store.checkout_options import PaymentOption, ShippingOption

_SATURDAY = 5


class Contact(msgspec.Struct, frozen=True):
    """Who an order goes to."""

    email: str
    first_name: str
    last_name: str
    street: str
    postcode: str
    city: str
    country: str


class Order(msgspec.Struct, frozen=True):
    """What was bought, by whom, and how it travels; `placed_at` is in UTC."""

    number: str
    placed_at: datetime
    cart: Cart
    contact: Contact
    shipping: ShippingOption
    payment: PaymentOption

    @property
    def totals(self) -> Totals:
        """What the order costs."""
        return total_up(self.cart, self.shipping)

    @property
    def arrives(self) -> tuple[date, date]:
        """First and last day on which the parcel should arrive."""
        first, last = self.shipping.days
        return _after_working_days(self.placed_at.date(), first), _after_working_days(self.placed_at.date(), last)


def _after_working_days(day: date, count: int) -> date:
    while count > 0:
        day += timedelta(days=1)
        count -= day.weekday() < _SATURDAY
    return day
