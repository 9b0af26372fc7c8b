"""What an email reports back, and the way out of it."""

from __future__ import annotations

import re

import pytest

from tests.trigger_worker.delivery.channels.mail_peer import MailPeer
from trigger_worker.delivery.channels.base import OutboundMessage
from trigger_worker.delivery.channels.email import EmailChannel, EmailSettings
from trigger_worker.delivery.channels.mail_links import MailLinks, Tracking
from trigger_worker.delivery.content.email import EmailContent
from trigger_worker.delivery.content.links import MessageLinks, SiteLinks, hosts_of
from warehouse.message_token import MessageToken, MessageTokens

TOKENS = MessageTokens(b"secret")
TOKEN = MessageToken("shop", "message-1", "cart_abandoned", "anna", "email", variant="plain")
SITES = {"shop": SiteLinks(hosts_of(["https://shop.example"])), "strict": SiteLinks(asks_first=True)}
LINKS = MessageLinks("https://c.example", TOKENS, SITES)
CONTENT = EmailContent(
    subject="Your cart",
    html=(
        '<html lang="de-AT"><body><a href="https://shop.example/cart?a=1&amp;b=2">Cart</a>'
        '<a href="mailto:hello@shop.example">Mail</a><a href="#top">Top</a><img src="https://shop.example/a.png">'
        '<a href="https://video.example/v">Film</a></body></html>'
    ),
    text="Cart: https://shop.example/cart\n",
    named_hosts=frozenset({"video.example"}),
)
OUTSIDE = EmailContent(subject="Hi", html=f'<a href="{LINKS.unsubscribe(TOKEN)}">Leave</a>', text="Hi\n")
_CLICK = re.compile(r"https://c\.example/v1/c/([\w.-]+)")
_PIXEL = re.compile(r'<img src="https://c\.example/v1/o/([\w.-]+)\.gif" width="1" height="1"[^>]*></body>')


def outbound(content: EmailContent = CONTENT, **changes: object) -> OutboundMessage:
    usual = {
        "message_id": "message-1",
        "site": "shop",
        "rule": "cart_abandoned",
        "visitor_id": "anna",
        "channel": "email",
        "recipients": ("anna@example.com",),
        "content": content,
        "expires_at_ms": 0,
        "token": TOKEN,
    }
    return OutboundMessage(**{**usual, **changes})  # type: ignore[arg-type]  # each test names what matters to it


def added(message: OutboundMessage, marketing: Tracking = "opens_and_clicks", other: Tracking = "off") -> EmailContent:
    assert isinstance(message.content, EmailContent)
    return MailLinks(LINKS, marketing, other).added_to(message.content, message)


def targets(text: str) -> list[str]:
    """Where the counted links of a text lead."""
    read = [TOKENS.read(token, "click", now_ms=0) for token in _CLICK.findall(text)]
    return [token.target for token in read if token is not None]


def test_every_link_to_the_shop_or_of_the_template_is_counted() -> None:
    content = added(outbound())
    assert targets(content.html) == ["https://shop.example/cart?a=1&b=2", "https://video.example/v"]
    assert targets(content.text) == ["https://shop.example/cart"]
    assert 'href="https://shop.example' not in content.html


def test_a_parameter_that_looks_like_a_character_reference_is_counted_as_it_was_written() -> None:
    address = "https://shop.example/p?a=1&region=US&currency=EUR&timestamp=9&copy=2"
    content = EmailContent(subject="Hi", html=f'<a href="{address}">x</a>', text=f"x ({address})\n")
    read = added(outbound(content))
    assert targets(read.html) == targets(read.text) == [address]


@pytest.mark.parametrize(
    "kept", ['href="mailto:hello@shop.example"', 'href="#top"', 'src="https://shop.example/a.png"']
)
def test_what_is_no_page_stays_as_it_is(kept: str) -> None:
    assert kept in added(outbound()).html


def test_a_picture_at_the_end_says_that_the_mail_was_opened() -> None:
    found = _PIXEL.search(added(outbound()).html)
    assert found is not None
    assert TOKENS.read(found[1], "open", now_ms=0) == TOKEN


@pytest.mark.parametrize(
    ("tracking", "opens", "clicks"),
    [("opens_and_clicks", True, True), ("opens", True, False), ("clicks", False, True), ("off", False, False)],
)
@pytest.mark.parametrize("message_class", ["marketing", "transactional"])
def test_each_class_reports_what_its_setting_says(
    tracking: Tracking, opens: bool, clicks: bool, message_class: str
) -> None:
    message = outbound(message_class=message_class)
    content = added(message, tracking) if message_class == "marketing" else added(message, "off", tracking)
    assert ("/v1/o/" in content.html, "/v1/c/" in content.html, "/v1/c/" in content.text) == (opens, clicks, clicks)


@pytest.mark.parametrize(
    ("site", "analytics", "observed"),
    [("shop", None, True), ("shop", False, False), ("strict", None, False), ("strict", True, True)],
)
def test_who_may_not_be_observed_gets_the_mail_as_it_was_written(
    site: str, analytics: bool | None, observed: bool
) -> None:
    content = added(outbound(site=site, analytics=analytics))
    assert ("/v1/o/" in content.html) is observed
    if not observed:
        assert 'href="https://shop.example/cart?a=1&amp;b=2"' in content.html
        assert "https://shop.example/cart\n" in content.text


def test_marketing_without_a_way_out_gets_one_in_its_own_language() -> None:
    content = added(outbound(), "off")
    way_out = LINKS.unsubscribe(TOKEN)
    assert f'<a href="{way_out}" style="color:#595959">Abmelden oder auswählen, was Sie bekommen</a>' in content.html
    assert content.html.endswith("</p></body></html>")
    assert content.text == (
        f"Cart: https://shop.example/cart\n\n-- \nAbmelden oder auswählen, was Sie bekommen: {way_out}\n"
    )


def test_a_template_that_has_a_way_out_gets_no_second_one() -> None:
    content = added(outbound(OUTSIDE), "clicks")
    assert content.html == OUTSIDE.html
    assert content.text.count(LINKS.unsubscribe(TOKEN)) == 1


def test_transactional_mail_has_no_way_out() -> None:
    message = outbound(message_class="transactional")
    assert "/v1/u/" not in added(message).html + added(message).text
    assert MailLinks(LINKS, "off", "off").way_out(message) == ""


def test_a_message_that_nothing_leads_back_to_stays_as_it_is() -> None:
    assert added(outbound(token=None)) == CONTENT


async def test_mail_programs_are_told_how_to_unsubscribe_with_one_click(mail_peer: MailPeer) -> None:
    settings = EmailSettings(host="127.0.0.1", port=mail_peer.port, sender="Shop <hello@shop.example>")
    async with EmailChannel(settings, lambda: 0, links=MailLinks(LINKS, "opens_and_clicks", "off")) as email:
        await email.send(outbound())
        await email.send(outbound(message_class="transactional"))
    marketing, transactional = mail_peer.received
    assert marketing["List-Unsubscribe"] == f"<{LINKS.unsubscribe(TOKEN)}>"
    assert marketing["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert transactional["List-Unsubscribe"] is None
    html = marketing.get_body(("html",))
    assert html is not None
    assert targets(html.get_content()) == ["https://shop.example/cart?a=1&b=2", "https://video.example/v"]
