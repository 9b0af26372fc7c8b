from __future__ import annotations

import pytest

from demo_store.checkout_options import normalise_coupon, payment_option, shipping_option


@pytest.mark.parametrize(
    ("typed", "code"),
    [("WELCOME10", "WELCOME10"), (" thankyou15 ", "THANKYOU15"), ("WELCOME", None), ("", None)],
)
def test_a_coupon_is_known_however_it_is_typed(typed: str, code: str | None) -> None:
    assert normalise_coupon(typed) == code


def test_unknown_options_are_not_found() -> None:
    assert shipping_option("rocket") is None
    assert payment_option("shells") is None
