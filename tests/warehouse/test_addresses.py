from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.addresses import normalised, parse_address, phone_number
from warehouse.errors import RuleError


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("Ann@Example.COM", "ann@example.com"),
        ("  ann@example.com\t", "ann@example.com"),
        ("ann@B\u00fccher.example", "ann@xn--bcher-kva.example"),
        ("ann@xn--BCHER-kva.example", "ann@xn--bcher-kva.example"),
        ("ann@example.com.", "ann@example.com"),
        ("ann+shop@example.com", "ann+shop@example.com"),
        ("+49 171 1234567", "+491711234567"),
        ("0049-171/123.45.67", "+491711234567"),
        ("+49 (0)171 1234567", "+491711234567"),
    ],
)
def test_one_mailbox_or_telephone_is_one_address_however_it_is_written(written: str, compared: str) -> None:
    assert normalised(written) == compared
    assert parse_address(written) == compared


@pytest.mark.parametrize(
    "text", ["", "ann", "ann@", "@example.com", "a b@example.com", "ann@example", "0171 12", "+49"]
)
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(RuleError, match=r"expected an email address or a telephone number such as \+49"):
        parse_address(text)


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("+4915112345678", "+4915112345678"),
        ("0049 151 / 123.456-78", "+4915112345678"),
        (" +1 (415) 555-2671 ", "+14155552671"),
        ("0151 12345678", ""),
        ("15112345678", ""),
        ("+0151123456", ""),
        ("+49", ""),
        ("+4915112345678999", ""),
        ("+49151\n12345678", "+4915112345678"),
        ("+49151x2345678", ""),
        ("+" + " " * 50 + "4915112345678", ""),
        ("+٤٩١٥١١٢٣٤٥٦٧٨", ""),
        (4915112345678, ""),
        (None, ""),
    ],
)
def test_a_phone_number_is_one_in_its_international_form(said: object, number: str) -> None:
    assert phone_number(said) == number
