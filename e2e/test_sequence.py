"""The example of the rule language's documentation with seconds for hours: a banner, an email, a text message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser

from e2e.inbox import mails_to
from e2e.rules import live_rule
from e2e.shopper import Shopper
from e2e.sms_provider import Texts, running_sms_provider
from e2e.stack import Stack
from e2e.visit import shopping
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
PRODUCT = "fell-28-daypack"


class Story(msgspec.Struct):
    """A person with a cart.

    Args:
        shopper: the person's browser.
        email: the person's address.
        phone: the person's telephone number.
    """

    shopper: Shopper
    email: str
    phone: str

    def fill_cart(self) -> None:
        """Sign up, enter a telephone number, and put a product into the cart."""
        self.shopper.sign_up(self.email)
        self.shopper.tell("identify", None, {"email": self.email, "phone": self.phone})
        self.shopper.wait_for_event("identify")
        self.shopper.open_product(PRODUCT)
        self.shopper.add_to_cart()

    def open_letter(self) -> None:
        """Read the email of the sequence once it has come."""
        letter = wait_for(self.letters, f"the email to {self.email}")[0]
        page = self.shopper.page.context.new_page()
        page.goto(f"{self.shopper.stack.mailbox_url}/mail/{letter['id']}/html")

    def letters(self) -> list[dict[str, Any]]:
        """Return the emails of the sequence to this person."""
        return [mail for mail in mails_to(self.shopper.stack, self.email) if mail["subject"] == "Left behind"]

    def person(self) -> str:
        """Return a condition on rows: those of this person."""
        alias = self.shopper.anonymous_id
        return f"(visitor_id = '{alias}' OR visitor_id IN (SELECT person FROM identity WHERE alias = '{alias}'))"


class Stories(msgspec.Struct):
    """Three persons who leave a cart at the same time, since each of their stories lasts longer than all their acts."""

    leaves: Story
    reads: Story
    buys: Story


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module", autouse=True)
def stories(browser: Browser, stack: Stack, sequence: None, texts: Texts) -> Iterator[Stories]:
    with ExitStack() as cleanup:
        buys, leaves, reads = (
            Story(cleanup.enter_context(shopping(browser, stack)), f"{name}@example.com", phone)
            for name, phone in (("ines", "+4915112345676"), ("gerda", "+4915112345677"), ("hanna", "+4915112345678"))
        )
        buys.fill_cart()
        buys.shopper.see_banner("Something is waiting")
        buys.shopper.tell("track", "purchase", {"order_id": "T-1", "value": 129.0, "currency": "EUR"})
        buys.shopper.wait_for_event("purchase")
        leaves.fill_cart()
        reads.fill_cart()
        leaves.shopper.see_banner("Something is waiting")
        reads.open_letter()
        yield Stories(leaves, reads, buys)


def texts_to(story: Story, texts: Texts) -> list[str]:
    return [text["Body"] for text in texts if text["To"] == story.phone]


def test_a_cart_left_behind_brings_a_banner_then_an_email_then_a_text(stories: Stories, texts: Texts) -> None:
    story = stories.leaves
    wait_for(story.letters, "the email")
    (text,) = wait_for(lambda: texts_to(story, texts), "the text message")
    assert "is waiting." in text
    of_rule = f"rule = 'left_behind' AND {story.person()}"
    sent = f"SELECT channel FROM messages WHERE {of_rule} AND state = 'sent' ORDER BY at LIMIT 3"
    wait_for(
        lambda: [row["channel"] for row in story.shopper.stack.sql(sent)] == ["banner", "email", "sms"],
        "each step to be recorded as sent, in order",
    )
    of_rule = f"JSONExtractString(props, 'rule') = 'left_behind' AND {story.person()}"
    told = f"SELECT event_id FROM events WHERE event = 'message_sent' AND {of_rule}"
    wait_for(lambda: len(story.shopper.stack.sql(told)) == 3, "what was sent to be part of the visitor's behaviour")


def test_whoever_opens_the_email_gets_no_text(stories: Stories, texts: Texts) -> None:
    dropped = stories.reads.shopper.wait_for_decision(rule="left_behind", channel="sms")
    assert (dropped["verdict"], dropped["reason"]) == ("drop", "condition")
    assert texts_to(stories.reads, texts) == []


def test_a_purchase_ends_the_sequence(stories: Stories, texts: Texts) -> None:
    for channel in ("email", "sms"):
        dropped = stories.buys.shopper.wait_for_decision(rule="left_behind", channel=channel)
        assert (dropped["verdict"], dropped["reason"]) == ("drop", "goal_reached")
    assert stories.buys.letters() == []
    assert texts_to(stories.buys, texts) == []
