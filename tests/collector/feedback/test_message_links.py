"""The rows of events that readers of messages cause, and the kinds of fetchers of a link."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest

from collector.feedback.message_links import (
    OPEN_ONCE_MS,
    REPEAT_MS,
    MessageLink,
    chosen,
    clicked,
    fetched_ahead,
    fetcher_kind,
    opened,
    unsubscribed,
)
from collector.intake.context import Client
from collector.sites import Site
from tests.collector.messages import NOON
from warehouse.event import LASTING_DAYS, EventRow
from warehouse.message_token import MessageToken

SITE: Final = Site("shop", "shop-key", retention_days=90)
TOKEN: Final = MessageToken("shop", "m-7", "cart_abandoned", "ada", "email", "https://shop.example/cart", "plain")
LINK: Final = MessageLink(TOKEN, SITE)
PHONE: Final = Client("mobile", "iOS", "Mobile Safari")
_CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36"
_PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
_GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
_OUTLOOK = "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)"
_YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"


def row_of(event: str, event_id: str, props: str, retention_days: int = 90, **columns: Any) -> EventRow:
    """Return a row about Ada's email at noon."""
    return EventRow(
        site="shop",
        event=event,
        type="track",
        event_id=event_id,
        visitor_id="ada",
        ts="2026-11-22 12:00:00.000",
        received_at="2026-11-22 12:00:00.000",
        source="live",
        message_id="m-7",
        props=props,
        retention_days=retention_days,
        **columns,
    )


def test_an_opening_becomes_this_row() -> None:
    assert opened(LINK, NOON, PHONE, machine=False) == row_of(
        "email_opened",
        "2aa63675-fdc4-5c60-a1bd-b2850bc481d5",
        '{"rule":"cart_abandoned","channel":"email","variant":"plain"}',
        device="mobile",
        os="iOS",
        browser="Mobile Safari",
    )


def test_an_opening_by_a_machine_becomes_this_row() -> None:
    assert opened(LINK, NOON, Client(), machine=True) == row_of(
        "email_opened",
        "c36fafae-38f8-5983-b1b8-cfe311d7b5e0",
        '{"rule":"cart_abandoned","channel":"email","variant":"plain","machine":true}',
    )


def test_a_click_becomes_this_row() -> None:
    assert clicked(LINK, NOON, PHONE, machine=False) == row_of(
        "email_clicked",
        "2228f775-d894-5611-ae5a-b39c698a4ed8",
        '{"rule":"cart_abandoned","channel":"email","variant":"plain"}',
        url="https://shop.example/cart",
        device="mobile",
        os="iOS",
        browser="Mobile Safari",
    )


def test_one_click_that_unsubscribes_becomes_this_row() -> None:
    plain = MessageLink(msgspec.structs.replace(TOKEN, variant="", target=""), SITE)
    assert unsubscribed(plain, NOON) == row_of(
        "unsubscribed",
        "41877e72-4f4f-56c5-b6de-432d6a8d0b0e",
        '{"rule":"cart_abandoned","channel":"email","reason":"one_click"}',
        LASTING_DAYS,
    )


def test_a_refusal_on_the_preference_page_is_kept() -> None:
    row = chosen(LINK, NOON, {"marketing": False, "channels": {"sms": False}})
    assert row == row_of(
        "consent",
        row.event_id,
        '{"rule":"cart_abandoned","channel":"email","variant":"plain",'
        '"marketing":false,"channels":{"sms":false},"source":"preference_page"}',
        LASTING_DAYS,
    )


def test_repeats_share_an_id_for_a_while_and_answers_never_do() -> None:
    def ids(at: int) -> tuple[str, ...]:
        made = (opened(LINK, at, PHONE, machine=False), clicked(LINK, at, PHONE, machine=False), unsubscribed(LINK, at))
        return tuple(row.event_id for row in made)

    assert ids(NOON) == ids(NOON + REPEAT_MS - 1)
    assert ids(NOON)[0] == ids(NOON + REPEAT_MS)[0] != ids(NOON + OPEN_ONCE_MS)[0]
    assert not set(ids(NOON)[1:]) & set(ids(NOON + REPEAT_MS)[1:])
    assert chosen(LINK, NOON, {}).event_id != chosen(LINK, NOON, {}).event_id


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        (_CHROME, "person"),
        (_PHONE, "person"),
        (_OUTLOOK, "person"),
        (_GMAIL, "proxy"),
        (_YAHOO, "proxy"),
        ("Mozilla/5.0", "machine"),
        ("", "machine"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "machine"),
        ("curl/8.5.0", "machine"),
        ("python-requests/2.32", "machine"),
        ("Go-http-client/2.0", "machine"),
    ],
)
def test_an_agent_stands_for_a_person_their_mail_service_or_nobody(agent: str, kind: str) -> None:
    assert fetcher_kind(agent) == kind


@pytest.mark.parametrize(
    ("headers", "ahead"),
    [
        ({}, False),
        ({"purpose": "prefetch"}, True),
        ({"sec-purpose": "prefetch;prerender"}, True),
        ({"x-moz": "prefetch"}, True),
        ({"sec-purpose": ""}, False),
    ],
)
def test_a_browser_says_when_it_fetches_ahead(headers: dict[str, str], ahead: bool) -> None:
    assert fetched_ahead(headers) is ahead
