"""Who fetches what a message leads to."""

from __future__ import annotations

import pytest

from collector.feedback.fetcher import fetched_ahead, fetcher_kind

_CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36"
_PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
_GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
_OUTLOOK = "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)"
_YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"


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
