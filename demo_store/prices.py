"""Amounts of money, and the terms of the shop: shipping, payment and coupons."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import msgspec

CURRENCY = "EUR"
ZERO = Decimal("0.00")
_CENT = Decimal("0.01")

#: The worth of goods, in euros after a coupon, from which standard shipping is free.
FREE_SHIPPING_FROM = Decimal("80.00")


class ShippingOption(msgspec.Struct, frozen=True):
    """A way to ship an order; `days` is the delivery time in working days, from and to."""

    key: str
    name: str
    note: str
    price: Decimal
    days: tuple[int, int]

    def price_for(self, goods: Decimal) -> Decimal:
        """Return the price of shipping for goods of a worth, in euros."""
        free = self.key == "standard" and goods >= FREE_SHIPPING_FROM
        return ZERO if free else self.price


class PaymentOption(msgspec.Struct, frozen=True):
    """A way to pay an order."""

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

#: The percentage that a coupon takes off the goods, by its code.
COUPONS = {"WELCOME10": 10, "THANKYOU15": 15}


def shipping_option(key: str) -> ShippingOption | None:
    """Return the shipping option of a key, or None for an unknown key."""
    return next((option for option in SHIPPING_OPTIONS if option.key == key), None)


def payment_option(key: str) -> PaymentOption | None:
    """Return the payment option of a key, or None for an unknown key."""
    return next((option for option in PAYMENT_OPTIONS if option.key == key), None)


def normalise_coupon(code: str) -> str | None:
    """Return the code of a coupon in its official spelling, or None for an unknown code."""
    cleaned = code.strip().upper()
    return cleaned if cleaned in COUPONS else None


def discount(goods: Decimal, coupon: str | None) -> Decimal:
    """Return the amount that a coupon takes off goods of a worth, in euros."""
    return to_cents(goods * COUPONS.get(coupon or "", 0) / 100)


def to_cents(amount: Decimal) -> Decimal:
    """Return an amount rounded to whole cents, half a cent upwards."""
    return amount.quantize(_CENT, rounding=ROUND_HALF_UP)


def format_money(amount: Decimal) -> str:
    """Return an amount as the shop prints it, such as ``€1,299.00``."""
    sign = "−" if amount < 0 else ""
    return f"{sign}€{abs(to_cents(amount)):,.2f}"
