"""Double opt-in, from subscribing to the button on the page; and an address that left, under another visitor."""

from __future__ import annotations

import json
import secrets
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from e2e.inbox import mails_to, wait_for_mail
from e2e.rules import live_rule
from e2e.stack import CAREFUL_KEY, CAREFUL_SITE, Stack
from e2e.waiting import wait_for
from trigger_worker.rules.library.catalogue import RULES, TEMPLATES

LETTERS = """
when: letter_wanted
every: 0s
send:
  - email: cart_reminder
class: marketing
ttl: 1h
"""


class Stranger:
    """Somebody whose events come from a page of the careful site.

    Args:
        stack: the running product.
        email: the address that they name.
    """

    def __init__(self, stack: Stack, email: str) -> None:
        self.stack = stack
        self.email = email
        self.visitor = f"visitor-{secrets.token_hex(8)}"
        self._letters = 0
        self.tell("identify", {"traits": {"email": email}})

    def tell(self, route: str, content: dict[str, Any]) -> None:
        """Send an event."""
        body = {"writeKey": CAREFUL_KEY, "anonymousId": self.visitor, **content}
        request = urllib.request.Request(f"{self.stack.collector_url}/v1/{route}", json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=10) as reply:
            assert json.load(reply)["success"] is True

    def subscribes(self) -> None:
        self.tell("track", {"event": "subscribe", "properties": {"channel": "email"}})

    def wants_a_letter(self) -> str:
        """Cause a marketing email, and return the reason of the gate's verdict."""
        self.tell("track", {"event": "letter_wanted", "properties": {}})
        self._letters += 1
        # A browser that proves nothing of itself is set apart by the sign before its id.
        query = (
            f"SELECT reason FROM decisions WHERE site = '{CAREFUL_SITE}' AND visitor_id = '~{self.visitor}'"
            " AND rule = 'careful_letters' ORDER BY decided_at"
        )
        wait_for(lambda: len(self.stack.sql(query)) >= self._letters, "the verdict")
        return str(self.stack.sql(query)[-1]["reason"])


@pytest.fixture(scope="module", autouse=True)
def rules(stack: Stack) -> Iterator[None]:
    """The rule and the template of double opt-in, as they are shipped, and a rule that sends marketing."""
    name = "confirm_address"
    template = f"{name}.email.html"
    (stack.rules_folder.parent / "templates" / template).write_text((TEMPLATES / template).read_text("utf-8"))
    _, _, asks = (RULES / f"{name}.yaml").read_text("utf-8").partition(f"id: {name}\n")
    with live_rule(stack, name, asks), live_rule(stack, "careful_letters", LETTERS):
        both = "SELECT rule FROM rule_versions WHERE rule IN ('confirm_address', 'careful_letters') GROUP BY rule"
        wait_for(lambda: len(stack.sql(both)) == 2, "the rules to be read")
        yield


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def confirms(page: Page, stranger: Stranger) -> None:
    """Open the mail that asks, follow its link, and press the button."""
    mail = wait_for_mail(stranger.stack, stranger.email)
    assert mail["subject"] == "Please confirm your address"
    page.goto(f"{stranger.stack.mailbox_url}/mail/{mail['id']}/html")
    with page.expect_popup() as popup:
        page.get_by_role("link", name="Confirm this address").click()
    asked = popup.value
    expect(asked.get_by_role("heading", name="Is this your address?")).to_be_visible()
    # The page was opened, as scanners open it, and nothing changed.
    assert stranger.wants_a_letter() == "address_unconfirmed"
    asked.get_by_role("button", name="Yes, confirm").click()
    expect(asked.get_by_role("status")).to_contain_text("Confirmed")


def test_marketing_waits_for_the_button(page: Page, stack: Stack) -> None:
    ida = Stranger(stack, "ida@example.com")
    assert ida.wants_a_letter() == "address_unconfirmed"
    ida.subscribes()
    confirms(page, ida)
    assert ida.wants_a_letter() == "passed"
    wait_for(lambda: len(mails_to(stack, ida.email)) == 2, "the letter")


def test_who_leaves_at_an_address_is_left_alone_under_every_visitor(page: Page, stack: Stack) -> None:
    jana = Stranger(stack, "jana@example.com")
    jana.subscribes()
    confirms(page, jana)
    other = Stranger(stack, "Jana@Example.com")
    assert other.wants_a_letter() == "passed"
    letter = wait_for_mail(stack, other.email)
    way_out = str(dict(letter["headers"])["List-Unsubscribe"]).strip("<>")
    request = urllib.request.Request(way_out, b"List-Unsubscribe=One-Click")
    with urllib.request.urlopen(request, timeout=10) as reply:
        assert reply.status == 200
    assert jana.wants_a_letter() == "unsubscribed"
    assert other.wants_a_letter() == "unsubscribed"
    assert Stranger(stack, jana.email).wants_a_letter() == "unsubscribed"
    assert (len(mails_to(stack, jana.email)), len(mails_to(stack, other.email))) == (1, 1)


def test_a_stranger_has_an_address_asked_once(stack: Stack) -> None:
    crowd = [Stranger(stack, "karl@example.com") for _ in range(5)]
    for one in crowd:
        one.subscribes()
    assert [one.wants_a_letter() for one in crowd] == ["address_unconfirmed"] * 5
    wait_for_mail(stack, "karl@example.com")
    query = f"SELECT count() AS n FROM decisions WHERE site = '{CAREFUL_SITE}' AND rule = 'confirm_address'"
    wait_for(lambda: stack.sql(query)[0]["n"] >= 5, "the verdicts")
    assert len(mails_to(stack, "karl@example.com")) == 1
