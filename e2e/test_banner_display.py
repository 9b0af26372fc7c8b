"""When and where banners are shown, and that they pass the strictest policy of a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, expect

from e2e.banner_forms import banner_rules, receive
from e2e.shopper import Shopper
from e2e.stack import Stack
from e2e.strict_page import strict_pages
from e2e.visit import shopping

_TEMPLATES: Final = {
    "show_plain": "form: slide_in",
    "show_on_page": "form: bar\npages: ['/membership*']",
    "show_on_exit": "form: modal\non: exit_intent",
    "show_on_scroll": "form: slide_in\non: scroll 60%\ndelay: 1s",
    "show_once": "form: bar\nonce: session",
    "show_nowhere": "form: inline\nselector: '#nowhere'",
    "show_late": "form: inline\nselector: '#late'",
    "show_brief": "form: toast\ncountdown: {for: 3s}",
}
#: Each has to wait for some seconds; the longest first.
BEGIN_TOGETHER: Final = ("in_vain", "for_another_page", "for_who_leaves", "with_a_countdown")

#: A visitor and the message id of a banner.
Received = tuple[Shopper, str]

#: What a page that reloads nothing does to become another.
_GO: Final = "path => history.pushState({}, '', path)"
_ADD_SLOT: Final = "document.querySelector('h1').insertAdjacentHTML('afterend', '<div id=late></div>')"
_POSITION: Final = "host => getComputedStyle(host).position"


@pytest.fixture(scope="module", autouse=True)
def rules(browser: Browser, stack: Stack) -> Iterator[None]:
    """Add a rule for each display condition."""
    with shopping(browser, stack) as somebody:
        somebody.open("/returns")
        with banner_rules(somebody, _TEMPLATES):
            yield


@pytest.fixture(scope="module")
def new_reader(new_visitor: Callable[[], Shopper], rules: None) -> Callable[[], Shopper]:
    """As `reader`, of those who stay until the last test."""

    def open_page() -> Shopper:
        visitor = new_visitor()
        visitor.open_and_listen("/category/packs")
        return visitor

    return open_page


@pytest.fixture
def reader(shopper: Shopper) -> Shopper:
    """Return a shopper with an open page."""
    shopper.open_and_listen("/category/packs")
    return shopper


def close_another(reader: Shopper) -> None:
    """Receive and close a banner that shows at once, after which the page waits three seconds before the next one."""
    receive(reader, "show_plain")
    reader.see_banner("Warm for less")
    assert reader.banner.get_attribute("data-form") == "slide_in"
    reader.banner.get_by_role("button", name="Close").click()
    expect(reader.banner).to_have_count(0)
    # Where the banner was, there may be a product, and a rule for who rests on it.
    reader.point_nowhere()


@pytest.fixture(scope="module")
def for_another_page(new_reader: Callable[[], Shopper]) -> Received:
    """Somebody who has closed a banner that came after one for another page."""
    reader = new_reader()
    message_id = receive(reader, "show_on_page")
    # One that came later shows that the page has had both.
    close_another(reader)
    return reader, message_id


def test_a_banner_waits_for_its_page_and_leaves_with_it(for_another_page: Received) -> None:
    reader, message_id = for_another_page
    reader.page.evaluate(_GO, "/membership/prices")
    expect(reader.page.locator(f"[data-micromoment-banner='{message_id}']")).to_be_visible()
    reader.page.evaluate(_GO, "/category/packs")
    expect(reader.banner).to_have_count(0)
    reader.wait_for_event("message_dismissed", message_id=message_id, reason="navigation")


def test_a_banner_that_waits_for_another_page_is_there_after_a_load_too(reader: Shopper) -> None:
    message_id = receive(reader, "show_on_page")
    reader.open("/membership")
    assert reader.see_banner("Warm for less") == message_id


@pytest.fixture(scope="module")
def for_who_leaves(new_reader: Callable[[], Shopper]) -> Received:
    """Somebody who has closed a banner that came after one for when they leave."""
    reader = new_reader()
    message_id = receive(reader, "show_on_exit")
    close_another(reader)
    return reader, message_id


def test_a_banner_comes_when_the_visitor_makes_to_leave(for_who_leaves: Received) -> None:
    reader, message_id = for_who_leaves
    reader.leave_through_the_top()
    assert reader.see_banner("Warm for less") == message_id


def test_a_banner_comes_as_far_down_as_it_is_meant_to(reader: Shopper) -> None:
    message_id = receive(reader, "show_on_scroll")
    reader.page.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert reader.see_banner("Warm for less") == message_id


def test_a_rule_that_may_speak_once_says_why_it_does_not_speak_again(reader: Shopper) -> None:
    receive(reader, "show_once")
    reader.see_banner("Warm for less")
    reader.banner.get_by_role("button", name="Close").click()
    again = receive(reader, "show_once")
    reader.wait_for_event("message_failed", message_id=again, reason="once")
    expect(reader.banner).to_have_count(0)


def test_an_inline_banner_waits_for_its_element(reader: Shopper) -> None:
    message_id = receive(reader, "show_late")
    reader.page.evaluate(_ADD_SLOT)
    assert reader.see_banner("Warm for less") == message_id
    expect(reader.page.locator("#late > div")).to_be_visible()


@pytest.fixture(scope="module")
def with_a_countdown(new_reader: Callable[[], Shopper]) -> Received:
    """Somebody who sees a banner that stays for three seconds."""
    reader = new_reader()
    message_id = receive(reader, "show_brief")
    assert reader.see_banner("Warm for less") == message_id
    return reader, message_id


def test_a_countdown_takes_its_banner_away(with_a_countdown: Received) -> None:
    reader, message_id = with_a_countdown
    reader.wait_for_event("message_dismissed", message_id=message_id, reason="countdown")
    expect(reader.banner).to_have_count(0)


def test_a_visitor_who_refuses_is_left_alone_at_once(reader: Shopper) -> None:
    message_id = receive(reader, "show_plain")
    reader.see_banner("Warm for less")
    reader.tell("consent", {"channels": {"banner": False}})
    expect(reader.banner).to_have_count(0)
    reader.wait_for_event("message_dismissed", message_id=message_id, reason="no_consent")


@pytest.fixture(scope="module")
def strict_shop(stack: Stack) -> Iterator[str]:
    """Return the origin of pages with the strictest policy."""
    with strict_pages(stack.collector_url) as origin:
        yield origin


@pytest.mark.parametrize("path", ["/script", "/module"])
def test_a_page_that_trusts_only_its_nonce_shows_banners(shopper: Shopper, strict_shop: str, path: str) -> None:
    shopper.page.goto(strict_shop + path)
    shopper.wait_for_event("page_view", path=path)
    receive(shopper, "show_plain")
    shopper.see_banner("Warm for less")
    assert shopper.banner.evaluate(_POSITION) == "fixed"


def test_a_browser_without_constructed_sheets_uses_the_nonce_for_styles(shopper: Shopper, strict_shop: str) -> None:
    shopper.page.add_init_script("CSSStyleSheet = undefined")
    shopper.page.goto(f"{strict_shop}/script")
    shopper.wait_for_event("page_view", path="/script")
    receive(shopper, "show_plain")
    shopper.see_banner("Warm for less")
    assert shopper.banner.evaluate(_POSITION) == "fixed"


@pytest.fixture(scope="module")
def in_vain(new_reader: Callable[[], Shopper]) -> Received:
    """Somebody whose banner waits ten seconds for an element that is not there."""
    waiting = new_reader()
    return waiting, receive(waiting, "show_nowhere")


def test_an_inline_banner_without_its_element_is_given_up_and_said_so(in_vain: Received) -> None:
    waiting, message_id = in_vain
    waiting.wait_for_event("message_failed", message_id=message_id, reason="no_slot")
    waiting.wait_for_message(message_id=message_id, state="failed")
