"""Amounts as shops write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.amounts import read_number, worth_of

READ: list[tuple[object, float]] = [
    *((60, 60), (60.5, 60.5), (0, 0), (-3, -3), ("60", 60), ("60.00", 60), (" 60.00 ", 60), ("\u00a060\u202f", 60)),
    *(
        ("60,00", 60),
        ("0,99", 0.99),
        ("60,5", 60.5),
        (".5", 0.5),
        (",5", 0.5),
        ("1.299", 1.299),
        ("1e3", 1000),
        ("1,2999", 1.2999),
    ),
    *(
        ("€60", 60),
        ("60 €", 60),
        ("$60.00", 60),
        ("US$ 60", 60),
        ("EUR 60.00", 60),
        ("60 EUR", 60),
        ("60eur", 60),
        ("kr 60", 60),
    ),
    *(
        ("60 kr", 60),
        ("60,- kr", 60),
        ("Rs. 500", 500),
        ("zł 60", 60),
        ("60,-", 60),
        ("CHF 1'299.-", 1299),
        ("CHF 1’299.50", 1299.5),
    ),
    *(
        ("1,299.00", 1299),
        ("1.299,00", 1299),
        ("1 299,00", 1299),
        ("1\u202f299,00 €", 1299),
        ("1 299", 1299),
        ("1'299.50", 1299.5),
    ),
    *(
        ("1,299,000", 1299000),
        ("1.299.000", 1299000),
        ("12,34,567.00", 1234567),
        ("1,299.000", 1299),
        ("€0.999", 0.999),
    ),
    *(("-60", -60), ("-$5", -5), ("$-5", -5), ("\u22125,50 €", -5.5), ("+60", 60), ("12 €", 12)),
]
NONE: list[object] = [
    *(
        None,
        True,
        False,
        [],
        {},
        "",
        " ",
        "free",
        "abc",
        "1,299",
        "€ 1.299",
        "1.299 EUR",
        "£1,299",
        "1.2.3",
        "1,2,3",
        "12 99",
    ),
    *(
        "60 per piece",
        "10%",
        "1/2",
        "1_000",
        "nan",
        "inf",
        "-Infinity",
        "1e999",
        "EUR 60 EUR",
        "--5",
        "-$-5",
        "€",
        "60 60",
        "$" + "6" * 65,
    ),
    *("1.299,000,00", "1,299.", "1,29.00", 10**400, float("nan"), float("inf")),
]


@pytest.mark.parametrize(("written", "number"), READ)
def test_an_amount_is_read_as_it_is_written(written: object, number: float) -> None:
    assert read_number(written) == number


@pytest.mark.parametrize("written", NONE)
def test_what_is_no_amount_or_may_be_one_of_two_is_none(written: object) -> None:
    assert read_number(written) is None


@given(st.text(max_size=70) | st.from_regex(r"[-+$€ ]{0,3}[0-9.,' ]{0,20}[ €A-Z]{0,4}", fullmatch=True))
def test_any_text_is_a_number_or_none(text: str) -> None:
    number = read_number(text)
    assert number is None or abs(number) < float("inf")


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**300), 10**300))
def test_a_number_is_the_same_as_text(number: float) -> None:
    assert read_number(str(number)) == float(number)


@given(st.integers(0, 10**12), st.integers(0, 99))
def test_thousands_and_decimals_are_read_in_both_orders(whole: int, cents: int) -> None:
    number = float(f"{whole}.{cents:02}")
    assert read_number(f"{whole:,}.{cents:02}") == number
    assert read_number(f"{whole:,}".replace(",", ".") + f",{cents:02}") == number
    assert read_number(f"€ {whole:,}".replace(",", " ") + f",{cents:02}") == number


def test_what_tells_no_price_is_worth_nothing_known() -> None:
    assert worth_of({"product_id": "a", "quantity": 2}) is None
    assert worth_of({"items": [{"product_id": "a"}]}) is None
    assert worth_of({"quantity": 2}, price=3) == 6
