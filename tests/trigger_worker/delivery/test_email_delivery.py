"""From behaviour to a real mail server, and back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from tests.trigger_worker.delivery.channels.mail_peer import MailPeer
from tests.trigger_worker.shop import Shop
from trigger_worker.delivery.channels.email import EmailChannel, EmailSettings
from trigger_worker.delivery.channels.mail_links import MailLinks
from trigger_worker.delivery.content.links import MessageLinks, SiteLinks, hosts_of
from warehouse.connection import Warehouse
from warehouse.message_token import MessageToken, MessageTokens

TOKENS = MessageTokens(b"secret")
SITES = {"shop": SiteLinks(hosts_of(["https://shop.example"]))}
LINKS = MessageLinks("https://c.example", TOKENS, SITES)
LETTER = """---
subject: Your cart
---
<a href="https://shop.example/cart">Cart</a> <a href="{{ unsubscribe_url }}">Leave</a>
"""
RULE = """
when: add_to_cart
every: 0s
send:
  - email: letter
  - email: letter
    after: 1h
    unless: opened(email) or clicked(email)
"""
ANNA = {"email": "anna@example.com"}


@pytest.fixture
def warehouse(embedded_warehouse: Warehouse) -> Warehouse:
    """One engine is enough: what is asked of it here is asked of both elsewhere."""
    return embedded_warehouse


@pytest.fixture
async def mail_server(shop: Shop) -> AsyncIterator[MailPeer]:
    """A mail server that the shop sends its letters by."""
    shop.links = LINKS
    shop.write("templates/letter.email.html", LETTER)
    shop.rule("letters", RULE)
    async with MailPeer() as peer:
        settings = EmailSettings(host="127.0.0.1", port=peer.port, sender="Shop <hello@shop.example>")
        async with EmailChannel(
            settings, lambda: shop.now_ms, links=MailLinks(LINKS, "opens_and_clicks", "off")
        ) as email:
            await shop.uses(email)
            shop.happens("identify", user="u1", traits=ANNA)
            yield peer


def token_in(mail_text: str, route: str, purpose: str) -> MessageToken:
    """What the first address of a route says."""
    found = re.search(rf"https://c\.example/v1/{route}/([\w-]+)", mail_text)
    token = TOKENS.read(found[1], purpose, now_ms=0) if found else None
    assert token is not None
    return token


def html_of(peer: MailPeer) -> str:
    body = peer.received[-1].get_body(("html",))
    assert body is not None
    return str(body.get_content())


async def leaves_a_cart(shop: Shop) -> None:
    shop.happens("add_to_cart")
    await shop.passes(1)


async def test_a_letter_carries_the_person_and_leads_back(shop: Shop, mail_server: MailPeer) -> None:
    await leaves_a_cart(shop)
    html = html_of(mail_server)
    for route, purpose in (("o", "open"), ("c", "click"), ("u", "unsubscribe")):
        token = token_in(html, route, purpose)
        assert (token.site, token.rule, token.channel, token.visitor_id) == ("shop", "letters", "email", "u1")
    assert html.count("/v1/u/") == 1
    assert mail_server.received[-1]["List-Unsubscribe"] is not None


@pytest.mark.parametrize("event", ["email_opened", "email_clicked"])
async def test_a_letter_that_was_read_is_followed_by_no_second_one(
    shop: Shop, mail_server: MailPeer, event: str
) -> None:
    await leaves_a_cart(shop)
    token = token_in(html_of(mail_server), "o", "open")
    shop.happens(event, token.visitor_id, message_id=token.message_id)
    await shop.passes(1)
    assert event.removeprefix("email_") in shop.states("email")
    await shop.passes(3600)
    assert [reason for _, _, reason in shop.decisions()] == ["passed", "condition"]
    assert len(mail_server.received) == 1


async def test_a_machine_that_fetches_every_picture_reads_nothing(shop: Shop, mail_server: MailPeer) -> None:
    await leaves_a_cart(shop)
    token = token_in(html_of(mail_server), "o", "open")
    shop.happens("email_opened", token.visitor_id, message_id=token.message_id, machine=True)
    await shop.passes(1)
    assert "opened" not in shop.states("email")
    await shop.passes(3600)
    assert len(mail_server.received) == 2


async def test_unsubscribing_by_a_letter_concerns_the_person(shop: Shop, mail_server: MailPeer) -> None:
    await leaves_a_cart(shop)
    token = token_in(html_of(mail_server), "u", "unsubscribe")
    shop.happens("unsubscribed", token.visitor_id, channel="email", message_id=token.message_id)
    await leaves_a_cart(shop)
    assert [reason for _, _, reason in shop.decisions()] == ["passed", "unsubscribed"]


async def test_who_refused_to_be_observed_gets_plain_links(shop: Shop, mail_server: MailPeer) -> None:
    shop.happens("consent", analytics=False)
    await leaves_a_cart(shop)
    html = html_of(mail_server)
    assert ("/v1/o/" in html, "/v1/c/" in html, "https://shop.example/cart" in html) == (False, False, True)


async def test_an_address_that_the_server_refuses_is_given_up_with_its_words(shop: Shop, mail_server: MailPeer) -> None:
    mail_server.recipient_replies = ["550 5.1.1 No such box"]
    await leaves_a_cart(shop)
    await shop.passes(600)
    [(detail,)] = shop.rows("SELECT detail FROM messages WHERE state = 'failed'")
    assert "No such box" in detail
    assert mail_server.received == []


async def test_a_server_that_puts_strangers_off_gets_the_letter_later(shop: Shop, mail_server: MailPeer) -> None:
    mail_server.recipient_replies = ["450 4.2.0 Greylisted"]
    await leaves_a_cart(shop)
    assert mail_server.received == []
    await shop.passes(5)
    assert len(mail_server.received) == 1
    assert "sent" in shop.states("email")


async def test_a_marketing_letter_of_which_nobody_knows_is_not_sent_again(shop: Shop, mail_server: MailPeer) -> None:
    mail_server.cut_after = "message"
    await leaves_a_cart(shop)
    await shop.passes(600)
    [(detail,)] = shop.rows("SELECT detail FROM messages WHERE state = 'failed'")
    assert "unknown_outcome" in detail
    assert len(mail_server.received) == 1
