"""A customer of the demo store, who is signed in, and a stranger in another browser who tries to be that customer."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import msgspec
import pytest
from playwright.sync_api import Browser

from e2e.inbox import mails_to, wait_for_mail
from e2e.rules import live_rule
from e2e.shopper import Shopper
from e2e.stack import IDENTITY_SECRET, SERVER_KEY, WRITE_KEY, Stack
from e2e.visit import shopping
from e2e.waiting import wait_for

EMAIL: Final = "victoria@example.com"
#: What only the customer may read: name, address and cart.
PERSONAL: Final = ("Victoria", EMAIL, "Fell 28")
BANNER: Final = """
when: greeting_wanted
every: 0s
send: [{banner: greeting}]
class: transactional
"""
TITLE: Final = (
    '\'Hello {{ visitor.first_name | default("stranger") }}, {{ visitor.email | default("nowhere") }}, '
    '{{ cart.items[0].name | default("nothing") }}\''
)
LETTER: Final = """
when: letter_asked_for
every: 0s
send:
  - email: cart_reminder
class: marketing
ttl: 1h
"""


class Customer(msgspec.Struct):
    """The customer, and what a stranger may have learned of her.

    Args:
        shopper: her browser.
        user_id: of her account.
        anonymous_id: of her browser.
    """

    shopper: Shopper
    user_id: str
    anonymous_id: str


@pytest.fixture(scope="module", autouse=True)
def rules(stack: Stack) -> Iterator[None]:
    with live_rule(stack, "greeting", BANNER, TITLE), live_rule(stack, "own_letter", LETTER):
        for rule in ("greeting", "own_letter"):
            query = f"SELECT 1 FROM rule_versions WHERE rule = '{rule}'"
            wait_for(partial(stack.sql, query), f"{rule} to be read")
        yield


@pytest.fixture(scope="module")
def customer(browser: Browser, stack: Stack, rules: None) -> Iterator[Customer]:
    with shopping(browser, stack) as shopper:
        shopper.sign_up(EMAIL, "Victoria")
        user_id = shopper.wait_for_event("identify")["user_id"]
        shopper.open_product("fell-28-daypack")
        shopper.add_to_cart()
        shopper.wait_for_event("add_to_cart")
        yield Customer(shopper, user_id, shopper.anonymous_id)


@pytest.fixture
def stranger(new_shopper: Callable[[], Shopper]) -> Shopper:
    shopper = new_shopper()
    shopper.open("/returns")
    shopper.wait_for_event("page_view")
    return shopper


def post(stack: Stack, path: str, body: dict[str, Any], key: str = WRITE_KEY) -> dict[str, Any]:
    request = urllib.request.Request(stack.collector_url + path, json.dumps({"writeKey": key, **body}).encode())
    with urllib.request.urlopen(request, timeout=10) as reply:
        answer: dict[str, Any] = json.load(reply)
    return answer


def rows_of(stack: Stack, user_id: str, condition: str) -> int:
    """Return how many stored events of a person meet a condition, by every id of the person."""
    ids = f"(visitor_id = '{user_id}' OR visitor_id IN (SELECT alias FROM identity WHERE person = '{user_id}'))"
    return int(stack.sql(f"SELECT count() AS found FROM events WHERE {ids} AND {condition}")[0]["found"])


def greeting(shopper: Shopper) -> str:
    """Ask for the greeting, and return its words; then take it away."""
    shopper.tell("track", "greeting_wanted", {"number": secrets.token_hex(4)})
    shopper.see_banner("Hello")
    words = str(shopper.banner.evaluate("host => host.shadowRoot.textContent"))
    shopper.banner.get_by_role("button").first.click()
    return words


def test_whoever_signs_in_is_signed_by_the_store_and_greeted_by_name(customer: Customer, stack: Stack) -> None:
    identified = customer.shopper.wait_for_event("identify")
    assert (identified["visitor_id"], identified["props"]["proven_by"]) == (customer.user_id, "signature")
    query = f"SELECT person FROM identity FINAL WHERE alias = '{customer.anonymous_id}'"
    assert stack.sql(query) == [{"person": customer.user_id}]
    words = greeting(customer.shopper)
    assert [word for word in PERSONAL if word not in words] == [], words


@pytest.mark.parametrize("proof", ["none", "of another id", "by another secret"])
def test_a_stranger_who_names_the_customers_id_reads_nothing_and_becomes_nobody(
    customer: Customer, stranger: Shopper, stack: Stack, proof: str
) -> None:
    """I1: identify with the id that everybody may know."""
    signed = {
        "none": "",
        "of another id": hmac.new(IDENTITY_SECRET.encode(), b"mallory", hashlib.sha256).hexdigest(),
        "by another secret": hmac.new(b"guessed", customer.user_id.encode(), hashlib.sha256).hexdigest(),
    }[proof]
    stranger.tell("identify", customer.user_id, {"email": "mallory@example.com"}, {"hash": signed})
    identified = stranger.wait_for_event("identify")
    assert (identified["visitor_id"], identified["user_id"]) == (stranger.anonymous_id, "")
    words = greeting(stranger)
    assert "Hello stranger" in words
    assert [word for word in PERSONAL if word in words] == []
    assert stack.sql(f"SELECT person FROM identity WHERE alias = '{stranger.anonymous_id}'") == []
    assert rows_of(stack, customer.user_id, "props LIKE '%mallory%'") == 0


def test_the_customers_mail_goes_on_going_to_her_whatever_strangers_say_of_her(
    customer: Customer, stranger: Shopper, stack: Stack
) -> None:
    """I1 and I4: in her name or as her browser, from a page or by hand, with an id that is hers or looks like hers."""
    for ids in (
        {"userId": customer.user_id},
        {"userId": customer.user_id, "anonymousId": stranger.anonymous_id},
        {"anonymousId": customer.anonymous_id},
        {"anonymousId": customer.user_id},
        {"anonymousId": customer.anonymous_id, "userId": customer.user_id, "browserSecret": "0" * 32},
    ):
        post(stack, "/v1/identify", {**ids, "traits": {"email": "mallory@example.com"}})
        post(stack, "/v1/alias", {"previousId": customer.user_id, **ids})
        for event in ("consent", "unsubscribed", "email_bounced", "email_complained", "push_unsubscribed"):
            said = {"marketing": False, "channels": {"email": False}, "channel": "email", "source": "preference_page"}
            post(stack, "/v1/track", {**ids, "event": event, "properties": said})
    stranger.tell("identify", customer.user_id, {"email": "mallory@example.com"})
    stranger.tell("consent", {"marketing": False})
    stranger.wait_for_event("consent")
    customer.shopper.tell("track", "letter_asked_for")
    letter = wait_for_mail(stack, EMAIL)
    assert mails_to(stack, "mallory@example.com") == []
    assert customer.user_id not in json.dumps(letter)
    assert rows_of(stack, customer.user_id, "event IN ('consent', 'unsubscribed', 'email_bounced')") == 0


def test_whoever_knows_the_customers_browser_gets_nothing_of_it(customer: Customer, stack: Stack) -> None:
    """I6: neither a token for its stream, nor what waits for it."""
    for secret in ({}, {"browserSecret": "0" * 32}, {"browserSecret": ""}):
        event = {"anonymousId": customer.anonymous_id, "event": "greeting_wanted", **secret}
        for path, body in (("/v1/track", event), ("/v1/batch", {"batch": [{"type": "track", **event}], **secret})):
            reply = post(stack, path, body)
            assert reply.keys() == {"success", "dropped"}
            assert [drop["reason"] for drop in reply["dropped"]] == ["browser_unproven"]
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{stack.collector_url}/v1/stream?token=x", timeout=10)


def test_the_shops_own_order_is_kept_though_a_stranger_used_its_message_id(customer: Customer, stack: Stack) -> None:
    """I4: a guess at the id that the shop's server gives to its event."""
    order = {"event": "purchase", "messageId": "order-of-victoria", "properties": {"order_id": "V-1", "value": 129}}
    post(stack, "/v1/track", {"anonymousId": "guesser", **order})
    assert post(stack, "/v1/track", {"userId": customer.user_id, **order}, SERVER_KEY) == {"success": True}
    query = "SELECT visitor_id FROM events WHERE order_id = 'V-1' ORDER BY visitor_id"
    both = [{"visitor_id": visitor} for visitor in sorted([customer.user_id, "~guesser"])]
    wait_for(lambda: stack.sql(query) == both, "both to be stored")


def test_no_secret_stands_in_an_address(customer: Customer) -> None:
    seen: list[str] = []
    page = customer.shopper.page
    page.on("request", lambda request: seen.append(request.url))
    customer.shopper.open("/returns")
    customer.shopper.wait_for_event("page_view", path="/returns")
    with page.expect_response(lambda response: response.url.endswith("/v1/stream")) as opened:
        page.reload()
    assert opened.value.request.headers["authorization"].startswith("Bearer ")
    secret = page.evaluate("localStorage.getItem('mm_secret')")
    assert len(secret) == 32
    assert not any(secret in url or "token" in url for url in seen)
