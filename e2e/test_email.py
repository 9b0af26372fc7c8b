"""The reactions to an email: opens, clicks, unsubscribes and reports of the provider."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from e2e.inbox import mails_to, wait_for_mail
from e2e.pictures import take_picture
from e2e.rules import live_rule
from e2e.shopper import Shopper
from e2e.stack import SERVER_KEY, Stack
from e2e.waiting import wait_for

#: Writes whenever it is asked to, so that nobody has to wait for an abandoned cart.
RULE = """
when: letter_wanted
every: 0s
send:
  - email: cart_reminder
class: marketing
ttl: 1h
"""
#: How wide the narrowest phones are, in pixels.
_NARROWEST = 320
_AXE = Path(__file__).parents[1] / "sdk_js" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module", autouse=True)
def letters(stack: Stack) -> Iterator[None]:
    with live_rule(stack, "letters", RULE):
        wait_for(lambda: stack.sql("SELECT 1 FROM rule_versions WHERE rule = 'letters'"), "the rule to be read")
        yield


def want_letter(shopper: Shopper, number: int = 1) -> None:
    """Send the event that an email answers."""
    shopper.tell("track", "letter_wanted", {"number": number})
    shopper.wait_for_event("letter_wanted", number=number)


def get_letter(shopper: Shopper, email: str) -> dict[str, Any]:
    """Sign up, cause an email, and return it."""
    shopper.sign_up(email)
    shopper.wait_for_event("sign_up")
    want_letter(shopper)
    return wait_for_mail(shopper.stack, email)


def open_letter(shopper: Shopper, letter: dict[str, Any]) -> Page:
    """Open an email in a new tab."""
    page = shopper.page.context.new_page()
    page.goto(f"{shopper.stack.mailbox_url}/mail/{letter['id']}/html")
    return page


def way_out(letter: dict[str, Any]) -> str:
    """Return the address that mail programs post to for one-click unsubscription."""
    headers = dict(letter["headers"])
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    return str(headers["List-Unsubscribe"]).strip("<>")


def say(stack: Stack, user: str, event: str, properties: dict[str, Any]) -> None:
    """Send an event as the server of a shop does."""
    body = {"writeKey": SERVER_KEY, "userId": user, "event": event, "properties": properties}
    request = urllib.request.Request(f"{stack.collector_url}/v1/track", json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=10) as reply:
        assert json.load(reply)["success"] is True


def test_an_opened_and_followed_mail_is_known_to_be(shopper: Shopper, stack: Stack) -> None:
    letter = get_letter(shopper, "emil@example.com")
    shopper.wait_for_message(channel="email", state="sent", rule="letters")
    page = open_letter(shopper, letter)
    opened = shopper.wait_for_message(channel="email", state="opened")
    with page.expect_popup() as popup:
        page.get_by_role("link", name="Back to my cart").click()
    popup.value.wait_for_url(f"{stack.store_url}/cart")
    clicked = shopper.wait_for_message(channel="email", state="clicked")
    assert opened["message_id"] == clicked["message_id"]
    (event,) = stack.sql(
        f"SELECT * FROM events WHERE event = 'email_clicked' AND message_id = '{clicked['message_id']}'"
    )
    assert (event["url"], event["visitor_id"]) == (f"{stack.store_url}/cart", clicked["visitor_id"])


def test_one_click_of_a_mail_program_ends_the_letters(shopper: Shopper, stack: Stack) -> None:
    letter = get_letter(shopper, "frida@example.com")
    request = urllib.request.Request(way_out(letter), b"List-Unsubscribe=One-Click")
    with urllib.request.urlopen(request, timeout=10) as reply:
        assert reply.status == 200
    wait_for(
        lambda: stack.sql("SELECT 1 FROM events WHERE event = 'unsubscribed' AND props LIKE '%one_click%'"), "the click"
    )
    want_letter(shopper, 2)
    shopper.wait_for_decision(rule="letters", verdict="drop", reason="unsubscribed")
    assert len(mails_to(stack, "frida@example.com")) == 1


def test_looking_at_the_preference_page_changes_nothing_and_choosing_there_does(shopper: Shopper, stack: Stack) -> None:
    letter = get_letter(shopper, "greta@example.com")
    page = open_letter(shopper, letter)
    with page.expect_popup() as popup:
        page.get_by_role("link", name=re.compile("Unsubscribe")).click()
    choices = popup.value
    choices.set_viewport_size({"width": _NARROWEST, "height": 640})
    offers = choices.get_by_role("checkbox", name="Offers and news")
    expect(offers).to_be_checked()
    assert choices.evaluate("document.documentElement.scrollWidth") <= _NARROWEST
    take_picture(choices, "preferences")
    choices.evaluate(_AXE.read_text())
    assert choices.evaluate("axe.run().then(({ violations }) => violations.map(({ id }) => id))") == []
    want_letter(shopper, 2)
    wait_for(lambda: len(mails_to(stack, "greta@example.com")) == 2, "the second letter")
    offers.uncheck()
    choices.get_by_role("button", name="Save").click()
    expect(choices.get_by_role("status")).to_contain_text("Saved")
    expect(offers).not_to_be_checked()
    wait_for(lambda: stack.sql("SELECT 1 FROM events WHERE props LIKE '%preference_page%'"), "the choice")
    want_letter(shopper, 3)
    shopper.wait_for_decision(rule="letters", verdict="drop", reason="no_consent")
    assert len(mails_to(stack, "greta@example.com")) == 2


def test_a_reader_who_may_not_be_observed_gets_plain_links(shopper: Shopper, stack: Stack) -> None:
    get_letter(shopper, "hugo@example.com")
    (person,) = stack.sql(f"SELECT DISTINCT person FROM identity WHERE alias = '{shopper.anonymous_id}'")
    say(stack, person["person"], "consent", {"analytics": False})
    wait_for(lambda: stack.sql("SELECT 1 FROM events WHERE event = 'consent' AND props LIKE '%server%'"), "the answer")
    want_letter(shopper, 2)
    letters = wait_for(lambda: found if len(found := mails_to(stack, "hugo@example.com")) == 2 else None, "a letter")
    unobserved, observed = (letter["html"] for letter in letters)
    assert ("/v1/o/" in observed, "/v1/c/" in observed) == (True, True)
    assert ("/v1/o/" in unobserved, "/v1/c/" in unobserved) == (False, False)
    assert f'href="{stack.store_url}/cart"' in unobserved
