"""Amounts of money: exact decimals of euros."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

CURRENCY = "EUR"
ZERO = Decimal("0.00")
_CENT = Decimal("0.01")


def to_cents(amount: Decimal) -> Decimal:
    """Round an amount to whole cents, half a cent upwards."""
    return amount.quantize(_CENT, rounding=ROUND_HALF_UP)


def format_money(amount: Decimal) -> str:
    """Write an amount the way the shop prints it, such as ``€1,299.00``."""
    sign = "−" if amount < 0 else ""
    return f"{sign}€{abs(to_cents(amount)):,.2f}"
