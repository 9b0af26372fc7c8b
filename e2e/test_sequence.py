"""The example of the rule language's documentation with seconds for hours: a banner, an email, a text message."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e.inbox import mails_to
from e2e.rules import live_rule
from e2e.shopper import Shopper
from e2e.sms_provider import Texts, running_sms_provider
from e2e.stack import Stack
from e2e.waiting import wait_for

RULE = """
describe: A cart worth having, left for a moment.
when: add_to_cart -> no purchase within 1s
if: cart.value >= 20 and device == "desktop"
every: 1h
goal: purchase within 3d
send:
  - banner: left_behind
  - email: left_behind
    after: 6s
  - sms: left_behind
    after: 11s
    unless: opened(email) or clicked(email)
class: marketing
priority: 90
quiet: none
ttl: 24h
"""
MAIL = "---\nsubject: Left behind\n---\n<p>{{ cart.items[0].name }} is waiting for you.</p>\n"
TEXT = "Your cart of {{ cart.value | money(cart.currency) }} is waiting."
PHONE = "+4915112345678"
PRODUCT = "fell-28-daypack"


@pytest.fixture(autouse=True)
def sequence(stack: Stack) -> Iterator[None]:
    templates = stack.rules_folder.parent / "templates"
    (templates / "left_behind.email.html").write_text(MAIL)
    (templates / "left_behind.sms.txt").write_text(TEXT)
    with live_rule(stack, "left_behind", RULE, "Something is waiting"):
        yield


@pytest.fixture(scope="module")
def texts(stack: Stack) -> Iterator[Texts]:
    with running_sms_provider(stack.ports["sms"]) as taken:
        yield taken


def fill_cart(shopper: Shopper, email: str) -> None:
    """Sign up, enter a telephone number, and put a product into the cart."""
    shopper.sign_up(email)
    shopper.tell("identify", email, {"email": email, "phone": PHONE})
    shopper.wait_for_event("identify")
    shopper.open_product(PRODUCT)
    shopper.add_to_cart()


def letters(shopper: Shopper, email: str) -> list[str]:
    return [mail["subject"] for mail in mails_to(shopper.stack, email) if mail["subject"] == "Left behind"]


def test_a_cart_left_behind_brings_a_banner_then_an_email_then_a_text(shopper: Shopper, texts: Texts) -> None:
    email = "gerda@example.com"
    fill_cart(shopper, email)
    shopper.see_banner("Something is waiting")
    wait_for(lambda: letters(shopper, email), "the email")
    (text,) = wait_for(lambda: [text for text in texts if text["To"] == PHONE], "the text message")
    assert "is waiting." in text["Body"]
    sent = "SELECT channel FROM messages WHERE rule = 'left_behind' AND state = 'sent' ORDER BY at LIMIT 3"
    wait_for(
        lambda: [row["channel"] for row in shopper.stack.sql(sent)] == ["banner", "email", "sms"],
        "each step to be recorded as sent, in order",
    )
    of_rule = "JSONExtractString(props, 'rule') = 'left_behind'"
    told = f"SELECT event_id FROM events WHERE event = 'message_sent' AND {of_rule}"
    wait_for(lambda: len(shopper.stack.sql(told)) == 3, "what was sent to be part of the visitor's behaviour")


def test_whoever_opens_the_email_gets_no_text(shopper: Shopper, texts: Texts, stack: Stack) -> None:
    email = "hanna@example.com"
    fill_cart(shopper, email)
    wait_for(lambda: letters(shopper, email), "the email")
    letter = next(mail for mail in mails_to(stack, email) if mail["subject"] == "Left behind")
    page = shopper.page.context.new_page()
    page.goto(f"{stack.mailbox_url}/mail/{letter['id']}/html")
    before = len(texts)
    dropped = shopper.wait_for_decision(rule="left_behind", channel="sms")
    assert (dropped["verdict"], dropped["reason"]) == ("drop", "condition")
    assert len(texts) == before


def test_a_purchase_ends_the_sequence(shopper: Shopper, texts: Texts) -> None:
    email = "ines@example.com"
    fill_cart(shopper, email)
    shopper.see_banner("Something is waiting")
    shopper.tell("track", "purchase", {"order_id": "T-1", "value": 129.0, "currency": "EUR"})
    shopper.wait_for_event("purchase")
    before = len(texts)
    for channel in ("email", "sms"):
        dropped = shopper.wait_for_decision(rule="left_behind", channel=channel)
        assert (dropped["verdict"], dropped["reason"]) == ("drop", "goal_reached")
    assert letters(shopper, email) == []
    assert len(texts) == before
