"""How an order can be shipped and paid, and which coupons the shop knows."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from demo_store.money import ZERO, to_cents

#: Goods worth this many euros, after a coupon, ship free of charge by the standard service.
FREE_SHIPPING_FROM = Decimal("80.00")


class ShippingOption(msgspec.Struct, frozen=True):
    """A way to ship; `days` is the promised delivery in working days, from and to."""

    key: str
    name: str
    note: str
    price: Decimal
    days: tuple[int, int]

    def price_for(self, goods: Decimal) -> Decimal:
        """Tell what shipping costs for goods worth that much."""
        free = self.key == "standard" and goods >= FREE_SHIPPING_FROM
        return ZERO if free else self.price


class PaymentOption(msgspec.Struct, frozen=True):
    """A way to pay."""

    key: str
    name: str
    note: str


SHIPPING_OPTIONS = (
    ShippingOption("standard", "Standard", "To your door, climate-neutral", Decimal("5.90"), (2, 4)),
    ShippingOption("express", "Express", "Tomorrow, if ordered by 15:00", Decimal("12.90"), (1, 1)),
    ShippingOption("pickup", "Parcel shop", "Fetch it when it suits you", Decimal("3.90"), (2, 5)),
)

PAYMENT_OPTIONS = (
    PaymentOption("card", "Card", "Credit or debit card"),
    PaymentOption("transfer", "Bank transfer", "We ship once the money has arrived"),
    PaymentOption("invoice", "Invoice", "Pay within thirty days of delivery"),
)

#: Percent off the goods by coupon code.
COUPONS = {"WELCOME10": 10, "THANKYOU15": 15}


def shipping_option(key: str) -> ShippingOption | None:
    """Find a shipping option by its key."""
    return next((option for option in SHIPPING_OPTIONS if option.key == key), None)


def payment_option(key: str) -> PaymentOption | None:
    """Find a payment option by its key."""
    return next((option for option in PAYMENT_OPTIONS if option.key == key), None)


def normalise_coupon(code: str) -> str | None:
    """Give a known coupon's code as it is written, or None for an unknown one."""
    cleaned = code.strip().upper()
    return cleaned if cleaned in COUPONS else None


def discount(goods: Decimal, coupon: str | None) -> Decimal:
    """Tell what a coupon takes off goods worth that much."""
    return to_cents(goods * COUPONS.get(coupon or "", 0) / 100)
