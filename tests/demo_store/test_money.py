from __future__ import annotations

from decimal import Decimal

import pytest

from demo_store.money import format_money, to_cents


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0", "€0.00"), ("5.9", "€5.90"), ("1299", "€1,299.00"), ("-12.5", "−€12.50"), ("0.005", "€0.01")],
)
def test_an_amount_is_written_as_the_shop_prints_it(amount: str, text: str) -> None:
    assert format_money(Decimal(amount)) == text


@pytest.mark.parametrize(("amount", "cents"), [("1.005", "1.01"), ("1.0049", "1.00"), ("2.675", "2.68")])
def test_half_a_cent_is_rounded_up(amount: str, cents: str) -> None:
    assert to_cents(Decimal(amount)) == Decimal(cents)
