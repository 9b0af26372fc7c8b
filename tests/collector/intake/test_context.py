from __future__ import annotations

import time
from typing import Any

import pytest

from collector.intake.context import Client, parse_user_agent
from collector.intake.draft import Receipt
from tests.collector.messages import NOON, kept, message, props
from warehouse.limits import MAX_TEXT_LENGTH

_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"
_SAFARI = "like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
CHROME = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROME} Safari/537.36"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 {_SAFARI}"
IPAD = f"Mozilla/5.0 (iPad; CPU OS 18_5 {_SAFARI}"
PIXEL = f"Mozilla/5.0 (Linux; Android 15; Pixel 9) {_CHROME} Mobile Safari/537.36"
GALAXY_TAB = f"Mozilla/5.0 (Linux; Android 15; SM-X710) {_CHROME} Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.mark.parametrize(
    ("agent", "device", "os", "browser"),
    [
        (CHROME, "desktop", "Windows", "Chrome"),
        (FIREFOX, "desktop", "Linux", "Firefox"),
        (IPHONE, "mobile", "iOS", "Mobile Safari"),
        (PIXEL, "mobile", "Android", "Chrome Mobile"),
        (IPAD, "tablet", "iOS", "Mobile Safari"),
        (GALAXY_TAB, "tablet", "Android", "Chrome"),
        (GOOGLEBOT, "bot", "", "Googlebot"),
    ],
    ids=["chrome", "firefox", "iphone", "pixel", "ipad", "galaxy tab", "googlebot"],
)
def test_a_user_agent_names_device_system_and_browser(agent: str, device: str, os: str, browser: str) -> None:
    assert parse_user_agent(agent) == Client(device, os, browser)


@pytest.mark.parametrize("agent", ["", "analytics-python/2.3.4", "python-httpx/0.28", "\x00\ufffd"])
def test_a_server_is_no_device(agent: str) -> None:
    assert parse_user_agent(agent) == Client()


def test_the_agent_in_the_message_wins_over_the_requests_own() -> None:
    receipt = Receipt(received_at=NOON, user_agent=CHROME)
    assert kept(message(), receipt=receipt).device == "desktop"
    assert kept(message(context={"userAgent": IPHONE}), receipt=receipt).device == "mobile"
    assert kept(message(context={"userAgent": 7}), receipt=receipt).device == "desktop"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"device": "tablet"}, ("tablet", "", "")),
        ({"device": {"type": "Tablet", "model": "X"}, "os": {"name": "Android"}}, ("tablet", "Android", "")),
        ({"device": "smartphone", "os": "iOS", "browser": "Safari"}, ("mobile", "iOS", "Safari")),
        ({"device": ["x"], "os": {}, "browser": {"name": {}}}, ("", "", "")),
    ],
)
@pytest.mark.parametrize("place", ["batch", "message"])
def test_what_no_agent_describes_the_context_says(said: dict[str, Any], expected: tuple[str, ...], place: str) -> None:
    own, shared = (said, {}) if place == "message" else ({}, said)
    row = kept(message(context=own), context=shared)
    assert (row.device, row.os, row.browser) == expected
    browser = Receipt(received_at=NOON, user_agent=CHROME)
    assert kept(message(context=own), receipt=browser, context=shared).device == "desktop"


ABOUT_VISITORS = {
    "country": "IT",
    "region": "TO",
    "timezone": "Europe/Rome",
    "locale": "it",
    "device": "crane",
    "os": "x",
    "browser": "y",
    "utm_source": "a",
    "utm_medium": "b",
    "utm_campaign": "c",
    "referrer": "r",
    "session_id": "s",
}


@pytest.mark.parametrize("event", ["view_item", "booked", "purchase", "search"])
def test_only_the_context_speaks_of_the_visitor(event: str) -> None:
    context = {"timezone": "Europe/Berlin", "sessionId": "s-1"}
    row = kept(message(event=event, properties=ABOUT_VISITORS, context=context))
    assert (row.country, row.timezone, row.session_id) == ("DE", "Europe/Berlin", "s-1")
    assert (row.region, row.locale, row.device, row.os, row.browser, row.referrer) == ("",) * 6
    assert (row.utm_source, row.utm_medium, row.utm_campaign) == ("",) * 3
    assert props(row) == ABOUT_VISITORS


@pytest.mark.parametrize(
    "sent", [{"type": "page", "event": None}, {"type": "screen", "event": None}, {"event": "page_view"}]
)
def test_a_page_call_speaks_of_its_page_and_of_nothing_else(sent: dict[str, Any]) -> None:
    page = {"path": "/p", "url": "https://s.example/p", "title": "P", "referrer": "https://r.example/"}
    row = kept(message(**sent, properties={**page, "country": "IT"}))
    assert (row.path, row.url, row.title, row.referrer, row.country) == (*page.values(), "")
    assert props(row) == {"country": "IT"}


def test_the_country_is_the_senders_then_the_proxys_then_the_zones() -> None:
    zone = {"timezone": "Europe/Berlin"}
    proxy = Receipt(received_at=NOON, country="AT")
    assert kept(message(context=zone)).country == "DE"
    assert kept(message(context=zone), receipt=proxy).country == "AT"
    assert kept(message(context={**zone, "location": {"country": "CH"}}), receipt=proxy).country == "CH"


def test_page_session_and_campaign_come_from_the_context() -> None:
    page = {"path": "/p/tent", "url": "https://s.example/p/tent", "title": "Tent", "referrer": "r", "type": "product"}
    context = {
        "page": page,
        "campaign": {"source": "news", "medium": "email", "name": "winter"},
        "locale": "en-GB",
        "sessionId": "s-1",
        "seq": 12,
        "location": {"region": "BE"},
    }
    row = kept(message(context=context))
    assert [row.path, row.url, row.title, row.referrer, row.page_type] == list(page.values())
    assert (row.utm_source, row.utm_medium, row.utm_campaign) == ("news", "email", "winter")
    assert (row.locale, row.session_id, row.seq, row.region) == ("en-GB", "s-1", 12, "BE")


def test_the_properties_of_a_page_call_win_over_its_context() -> None:
    row = kept(message(type="page", properties={"path": "/new"}, context={"page": {"path": "/old", "title": "T"}}))
    assert (row.path, row.title) == ("/new", "T")


@pytest.mark.parametrize("seq", [0, -1, 2**32, "12", 1.5, True, None, [1]])
def test_a_position_that_is_none_is_unknown(seq: object) -> None:
    assert kept(message(context={"seq": seq})).seq == 0


@pytest.mark.parametrize("section", [None, "text", 7, ["list"], True])
def test_a_section_that_is_no_object_says_nothing(section: object) -> None:
    row = kept(message(context=dict.fromkeys(("page", "campaign", "location"), section)))
    assert (row.path, row.utm_source, row.region) == ("", "", "")


def test_text_is_cut_at_its_limit() -> None:
    row = kept(message(context={"page": {"title": "x" * (MAX_TEXT_LENGTH + 1)}, "sessionId": "y" * 5000}))
    assert (len(row.title), len(row.session_id)) == (MAX_TEXT_LENGTH, MAX_TEXT_LENGTH)


@pytest.mark.parametrize(("page", "title"), [({}, "Home"), ({"title": "Welcome"}, "Welcome")])
def test_the_name_of_a_page_call_stands_in_for_a_missing_title(page: dict[str, str], title: str) -> None:
    row = kept(message(type="page", event=None, name="Home", context={"page": page}))
    assert row.title == title


@pytest.mark.parametrize(
    "filler", ["; ;", "(", " ", "A", "a-b/1.0 ", "Android ", "iPhone; ", "Version/1 ", "\u00e9", "compatible; "]
)
def test_no_user_agent_takes_long_to_read(filler: str) -> None:
    agents = [f"Mozilla/5.0 {number} {filler * 512}"[:512] for number in range(50)]
    parse_user_agent("Mozilla/5.0 whatever loads the patterns")
    began = time.process_time()
    for agent in agents:
        parse_user_agent(agent)
    # Patterns that go back and try again took 22 ms for the worst of them; these take 0.03 ms.
    assert (time.process_time() - began) / len(agents) < 0.003


@pytest.mark.parametrize(
    ("context", "said"),
    [
        (
            {"device": {"type": "ios", "model": "iPhone17,1"}, "os": {"name": "iOS", "version": "18.5"}},
            ("mobile", "iOS"),
        ),
        ({"device": {"type": "ios", "model": "iPad14,3"}, "os": {"name": "iPadOS"}}, ("tablet", "iPadOS")),
        ({"device": {"type": "Android"}, "os": {"name": "Android"}}, ("mobile", "Android")),
        ({"device": {"type": "watch"}, "os": {"name": 7}}, ("", "7")),
        ({"device": None, "os": None}, ("", "")),
        (
            {"userAgent": CHROME, "device": {"type": "android"}, "os": {"name": "", "version": ""}},
            ("desktop", "Windows"),
        ),
    ],
)
def test_an_app_names_its_device_and_system_itself(context: dict[str, object], said: tuple[str, str]) -> None:
    for row in (kept(message(context=context)), kept(message(), context=context)):
        assert (row.device, row.os) == said


@pytest.mark.parametrize(
    ("fields", "page_type"),
    [
        ({"category": "product"}, "product"),
        ({"category": 7}, "7"),
        ({"category": ["product"]}, ""),
        ({"category": "Docs", "context": {"page": {"type": "product"}}}, "product"),
        ({"category": "Docs", "properties": {"page_type": "product"}}, "product"),
    ],
)
def test_the_category_of_a_page_call_stands_in_for_a_missing_type(fields: dict[str, object], page_type: str) -> None:
    assert kept(message(type="page", event=None, **fields)).page_type == page_type
