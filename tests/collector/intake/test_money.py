from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.intake import pipeline
from collector.intake.draft import EventWarning, Receipt, WarningReason
from collector.sites import Site
from tests.collector.messages import NOON, SHOP, kept, message, props
from warehouse.currencies import CURRENCIES, currency_code

EURO = Site("shop", "shop-key", currency="EUR", rates={"USD": 0.92, "JPY": 0.0061})
SWEDISH = Site("shop", "shop-key", currency="SEK")


def bought(**fields: Any) -> dict[str, Any]:
    return message(event="purchase", properties={"order_id": "1001", **fields})


def money(site: Site = EURO, event: str = "purchase", **fields: Any) -> tuple[float | None, str]:
    row = kept(message(event=event, properties={"order_id": "1001", **fields}), site=site)
    return row.value, row.currency


def warnings(site: Site = EURO, **fields: Any) -> list[EventWarning]:
    raw = [msgspec.Raw(msgspec.json.encode(bought(**fields)))]
    return pipeline.run(raw, site, Receipt(received_at=NOON), {}).warnings


@pytest.mark.parametrize(
    ("written", "code"),
    [
        *((text, "EUR") for text in ("EUR", "eur", " Eur ", "€", "euro", "Euros")),
        *(
            ("$", ""),
            ("US$", "USD"),
            ("R$", "BRL"),
            ("£", "GBP"),
            ("¥", ""),
            ("JP¥", "JPY"),
            ("zł", "PLN"),
            ("Kč", "CZK"),
        ),
        *(("kr", ""), ("₹", "INR"), ("CA$", "CAD"), ("元", "CNY"), ("", ""), ("EURO€", ""), ("XXX", ""), ("978", "")),
    ],
)
def test_a_code_or_a_sign_of_one_currency_is_read(written: str, code: str) -> None:
    assert currency_code(written) == code


@pytest.mark.parametrize(
    ("written", "home", "code"),
    [
        *(("$", "USD", "USD"), ("$", "CAD", "CAD"), ("$", "EUR", ""), ("¥", "CNY", "CNY"), ("¥", "JPY", "JPY")),
        *(("kr", "SEK", "SEK"), ("kr.", "DKK", "DKK"), ("kr", "EUR", ""), ("Rs", "INR", "INR")),
    ],
)
def test_a_sign_of_several_currencies_means_the_sites_own(written: str, home: str, code: str) -> None:
    assert currency_code(written, home) == code


def test_codes_are_three_letters() -> None:
    assert all(len(code) == 3 and code.isalpha() and code.isupper() for code in CURRENCIES)
    assert {"EUR", "USD", "JPY", "CHF", "GBP"} <= CURRENCIES


def test_without_a_currency_of_the_site_money_keeps_its_own() -> None:
    assert money(SHOP, value=80, currency="usd") == (80, "USD")
    assert money(SHOP, value=80) == (80, "")
    assert warnings(SHOP, value=80, currency="usd") == []


def test_a_missing_currency_is_the_sites() -> None:
    assert money(value=80) == (80, "EUR")
    assert money(value=80, currency="") == (80, "EUR")
    assert money(event="add_to_cart", price=20) == (20, "EUR")
    assert money(items=[{"product_id": "p1", "price": 3}])[1] == "EUR"
    assert warnings(value=80) == []


def test_what_has_no_money_has_no_currency() -> None:
    assert kept(message(event="page_view", properties={"path": "/"}), site=EURO).currency == ""


def test_a_refund_without_a_currency_is_in_that_of_its_order() -> None:
    assert money(event="refund", value=20) == (20, "")


def test_money_is_converted_once_and_what_it_was_is_kept() -> None:
    row = kept(bought(value=100, price=50, currency="usd"), site=EURO)
    assert (row.value, row.price, row.currency) == (92.0, 46.0, "EUR")
    assert props(row) == {"original_value": 100, "original_price": 50, "original_currency": "USD"}
    assert warnings(value=100, currency="usd") == []


def test_prices_of_items_are_converted_each_in_its_own_currency() -> None:
    items = [
        {"product_id": "p1", "price": 100},
        {"product_id": "p2", "price": "10.00", "currency": "USD"},
        {"product_id": "p3", "price": 5, "currency": "EUR"},
        {"product_id": "p4", "price": 5, "currency": "CHF"},
        {"product_id": "p5", "price": "cheap"},
    ]
    row = kept(bought(value=16393.44, currency="JPY", items=items), site=EURO)
    assert row.value == 100.0
    first, second, *others = props(row)["items"]
    assert (first["price"], first["original_price"], first["currency"]) == (0.61, 100, "EUR")
    assert (second["price"], second["original_price"], second["original_currency"]) == (9.2, 10.0, "USD")
    assert others == items[2:]


def test_money_without_a_rate_keeps_its_currency_and_is_warned_of() -> None:
    assert money(value=100, currency="CHF") == (100, "CHF")
    assert kept(bought(value=100, currency="CHF"), site=EURO).foreign_currency == "CHF"
    (warning,) = warnings(value=100, currency="CHF")
    assert warning.reason is WarningReason.CURRENCY_WITHOUT_RATE
    assert "CHF" in warning.detail
    assert "sites.shop.rates" in warning.detail
    assert warnings(currency="CHF") == []


@pytest.mark.parametrize("currency", ["FOO", "points", "$", "978", "12"])
def test_a_currency_that_nobody_knows_is_kept_and_warned_of(currency: str) -> None:
    assert money(value=100, currency=currency) == (100, currency.upper())
    assert kept(bought(value=100, currency=currency), site=EURO).foreign_currency == currency.upper()
    assert kept(bought(value=100, currency=currency), site=SHOP).foreign_currency == ""
    assert [each.reason for each in warnings(value=100, currency=currency)] == [WarningReason.CURRENCY_UNKNOWN]
    assert [each.reason for each in warnings(SHOP, value=1, currency=currency)] == [WarningReason.CURRENCY_UNKNOWN]


def test_only_we_say_that_money_is_foreign() -> None:
    for currency in ("EUR", "USD", "", None):
        row = kept(bought(value=1, currency=currency, foreign_currency="USD"), site=EURO)
        assert row.foreign_currency == ""


def test_a_shared_sign_is_the_sites_own() -> None:
    assert money(SWEDISH, value=100, currency="kr") == (100, "SEK")


@given(st.floats(0, 1e9), st.sampled_from(["USD", "JPY", "EUR", "eur", "", "CHF"]))
def test_amounts_are_in_the_sites_currency_or_named_by_another(amount: float, currency: str) -> None:
    value, code = money(value=amount, currency=currency)
    rate = {"USD": 0.92, "JPY": 0.0061}.get(currency, 1.0)
    assert code == ("CHF" if currency == "CHF" else "EUR")
    assert value == pytest.approx(amount * rate, abs=1e-4)


@pytest.mark.parametrize(
    ("amount", "value", "currency"),
    [
        ("1'299.50 CHF", 1299.5, "CHF"),
        ("€ 1.299,00", 1299.0, "EUR"),
        ("US$ 100", 92.0, "EUR"),
        ("100 usd", 92.0, "EUR"),
        ("£5", 5.0, "GBP"),
        ("5.00", 5.0, "EUR"),
        ("1e3", 1000.0, "EUR"),
        ("$5", 5.0, "$"),
        ({"amount": "100", "currencyCode": "USD"}, 92.0, "EUR"),
        ({"amount": 5, "currency_code": "GBP"}, 5.0, "GBP"),
    ],
)
def test_an_amount_that_names_its_currency_is_in_that_currency(amount: object, value: float, currency: str) -> None:
    assert money(value=amount) == (value, currency)
    assert money(event="add_to_cart", price=amount) == (value, currency)


def test_the_currency_that_the_event_states_goes_before_that_of_an_amounts_text() -> None:
    assert money(value="5 CHF", currency="EUR") == (5.0, "EUR")


def test_an_item_whose_price_names_its_currency_is_converted_from_it() -> None:
    items = [{"product_id": "p", "price": "$100", "currency": "USD"}, {"product_id": "q", "price": "100 USD"}]
    row = kept(bought(value=1, items=items), site=EURO)
    assert [item["price"] for item in props(row)["items"]] == [92.0, 92.0]
