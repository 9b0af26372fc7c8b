from __future__ import annotations

from decimal import Decimal

import pytest

from demo_store.prices import format_money, normalise_coupon, payment_option, shipping_option, to_cents


@pytest.mark.parametrize(
    ("typed", "code"),
    [("WELCOME10", "WELCOME10"), (" thankyou15 ", "THANKYOU15"), ("WELCOME", None), ("", None)],
)
def test_a_coupon_is_known_however_it_is_typed(typed: str, code: str | None) -> None:
    assert normalise_coupon(typed) == code


def test_unknown_options_are_not_found() -> None:
    assert shipping_option("rocket") is None
    assert payment_option("shells") is None


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0", "€0.00"), ("5.9", "€5.90"), ("1299", "€1,299.00"), ("-12.5", "−€12.50"), ("0.005", "€0.01")],
)
def test_an_amount_is_written_as_the_shop_prints_it(amount: str, text: str) -> None:
    assert format_money(Decimal(amount)) == text


@pytest.mark.parametrize(("amount", "cents"), [("1.005", "1.01"), ("1.0049", "1.00"), ("2.675", "2.68")])
def test_half_a_cent_is_rounded_up(amount: str, cents: str) -> None:
    assert to_cents(Decimal(amount)) == Decimal(cents)
