from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.delivery.content.engine import TextEngine
from trigger_worker.delivery.content.filters import web_address

ENGINE = TextEngine()
SITE = {"name": "Shop", "url": "https://shop.example/de/", "currency": "EUR"}


def rendered(source: str, **names: object) -> str:
    return ENGINE.text(source, "t.txt").render({"site": SITE, **names})


@pytest.mark.parametrize(
    ("value", "currency", "expected"),
    [
        (1234.5, "EUR", "€1,234.50"),
        (0, "usd", "$0.00"),
        (49.995, "GBP", "£50.00"),
        (2.675, "EUR", "€2.68"),
        (-3, "EUR", "-€3.00"),
        (1999.5, "JPY", "¥2,000"),
        (12, "CHF", "CHF12.00"),
        (5, "<b>", "5.00"),
        ("12.3", "EUR", "€12.30"),
        (5, "", "€5.00"),
        (None, "EUR", ""),
        ("a lot", "EUR", ""),
        (True, "EUR", ""),
        (float("nan"), "EUR", ""),
        (float("inf"), "EUR", ""),
        (1e300, "EUR", ""),
        ([], "EUR", ""),
    ],
)
def test_money(value: object, currency: str, expected: str) -> None:
    assert rendered("{{ value | money(currency) }}", value=value, currency=currency) == expected


def test_money_without_a_currency_is_the_sites() -> None:
    assert rendered("{{ 5 | money }} {{ missing | money }}{{ 5 | money(missing) }}") == "€5.00 €5.00"
    assert ENGINE.text("{{ 5 | money }}", "t.txt").render({}) == "5.00"


@pytest.mark.parametrize(("value", "expected"), [(2.0, "2"), (1.5, "1.5"), (100, "100"), ("x", ""), (None, "")])
def test_quantity(value: object, expected: str) -> None:
    assert rendered("{{ value | quantity }}", value=value) == expected


@pytest.mark.parametrize(
    ("value", "zone", "expected"),
    [
        (1_795_348_800_000, "", "November 22, 2026"),
        (1_795_388_400_000, "Asia/Tokyo", "November 23, 2026"),
        ("2026-11-22T23:30:00Z", "Europe/Berlin", "November 23, 2026"),
        ("2026-11-22T12:00:00", "not a zone", "November 22, 2026"),
        ("soon", "", ""),
        (1e30, "", ""),
        (-1e13, "", ""),
        (float("nan"), "", ""),
        ("9999-12-31T23:59:59-12:00", "Asia/Tokyo", ""),
        (None, "", ""),
        (True, "", ""),
    ],
)
def test_date_is_that_of_the_visitors_calendar(value: object, zone: str, expected: str) -> None:
    assert rendered("{{ value | date }}", value=value, visitor={"timezone": zone}) == expected


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "Pacific/Kiritimati", "", "not a zone"])
@pytest.mark.parametrize(
    "value", ["2026-12-24", "20261224", 20_261_224, "24 Dec 2026", " 2026-12-24 ", "2026-12-24+01:00"]
)
def test_a_day_is_that_day_for_every_reader(value: object, zone: str) -> None:
    assert rendered("{{ value | date }}", value=value, visitor={"timezone": zone}) == "December 24, 2026"


@pytest.mark.parametrize(
    "value",
    [
        *(1_795_348_800, 1_795_348_800_000, 1_795_348_800_000_000, "1795348800", "1795348800.5"),
        *(
            "2026-11-22T12:00:00Z",
            "2026-11-22 13:00:00+01",
            "Sun, 22 Nov 2026 12:00:00 GMT",
            {"$date": 1_795_348_800_000},
        ),
    ],
)
def test_an_instant_is_read_in_every_form_of_senders(value: object) -> None:
    source = "{{ value | date('d MMMM y, HH:mm') }}"
    assert rendered(source, value=value, visitor={"timezone": "Asia/Tokyo"}) == "22 November 2026, 21:00"


@pytest.mark.parametrize(
    ("value", "expected"), [("1962-05-04", "May 4, 1962"), (-241_920_000, "May 3, 1962"), (0, "January 1, 1970")]
)
def test_birthdays_are_days(value: object, expected: str) -> None:
    assert rendered("{{ value | date }}", value=value, visitor={"timezone": "UTC"}) == expected


@pytest.mark.parametrize("value", ["11/12/2026", "2026-02-30", [], {}, "1500-01-01", "3000-01-01"])
def test_what_is_no_date_is_nothing(value: object) -> None:
    assert rendered("{{ value | date }}", value=value) == ""


@pytest.mark.parametrize(
    ("locale", "money", "day"),
    [
        ("en-GB", "€1,234.50", "22 November 2026"),
        ("de-DE", "1.234,50\u00a0€", "22. November 2026"),
        ("de-AT", "€\u00a01.234,50", "22. November 2026"),
        ("fr", "1\u202f234,50\u00a0€", "22 novembre 2026"),
        ("ja", "€1,234.50", "2026年11月22日"),
        ("de-DE-u-co-phonebk", "1.234,50\u00a0€", "22. November 2026"),
        ("de-XX", "1.234,50\u00a0€", "22. November 2026"),
        ("tlh", "€1,234.50", "November 22, 2026"),
        ("../../etc/passwd", "€1,234.50", "November 22, 2026"),
        (None, "€1,234.50", "November 22, 2026"),
    ],
)
def test_money_and_days_are_written_as_in_the_visitors_language(locale: str | None, money: str, day: str) -> None:
    visitor = {"locale": locale, "timezone": "Europe/Berlin"}
    source = "{{ 1234.5 | money('EUR') }}|{{ '2026-11-22T09:05:00Z' | date }}"
    assert rendered(source, visitor=visitor) == f"{money}|{day}"


def test_a_template_in_one_language_may_say_which() -> None:
    source = "{{ 5 | money('EUR', 'de') }}|{{ '2026-11-22T09:05:00Z' | date('full', 'de') }}"
    assert rendered(source, visitor={"locale": "en-US"}) == "5,00\u00a0€|Sonntag, 22. November 2026"


@given(st.text(max_size=80), st.text(max_size=8))
def test_no_locale_or_currency_of_a_page_stops_a_message(locale: str, currency: str) -> None:
    assert rendered("{{ 5 | money(currency) }}", visitor={"locale": locale}, currency=currency)


@pytest.mark.parametrize(
    ("style", "expected"),
    [("HH:mm", "09:05"), ("d MMMM, HH:mm", "22 November, 09:05"), ("short", "11/22/26"), ("medium", "Nov 22, 2026")],
)
def test_date_takes_a_style_or_a_pattern(style: str, expected: str) -> None:
    assert rendered("{{ '2026-11-22T09:05:00Z' | date(style) }}", style=style) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://cdn.example/a.png", "https://cdn.example/a.png"),
        ("/cart", "https://shop.example/cart"),
        ("lamp", "https://shop.example/de/lamp"),
        ("//other.example/x", "https://other.example/x"),
        ("javascript:alert(1)", ""),
        (" JaVaScRiPt:alert(1)", ""),
        ("data:text/html,x", ""),
        ("http://[", ""),
        ("https://x.example/\r\nBcc: a", "https://x.example/Bcc: a"),
        ("", ""),
        (None, ""),
    ],
)
def test_link_is_absolute_and_of_the_web(url: object, expected: str) -> None:
    assert rendered("{{ url | link }}", url=url) == expected


def test_link_without_a_site_address_takes_absolute_ones_only() -> None:
    template = ENGINE.text("[{{ '/cart' | link }}][{{ 'https://x.example/' | link }}]", "t.txt")
    assert template.render({}) == "[][https://x.example/]"


@pytest.mark.parametrize(
    "url",
    [
        "https://x.example/\r\nBcc: a",
        "https://x.example/\0",
        "https:x",
        "ftp://x.example/",
        "https://x.example:65536/",
        "https://x.example:0/",
        "https://x.example:a/",
        "https://:80/",
        "https:///x",
    ],
)
def test_an_address_of_the_web_is_absolute_and_one_line(url: str) -> None:
    assert web_address(url) == ""


@given(st.text())
def test_no_text_makes_another_kind_of_address(text: str) -> None:
    link = rendered("{{ url | link }}", url=text)
    assert link == "" or link.lower().startswith(("http://", "https://"))
    assert web_address(text) in ("", text)
