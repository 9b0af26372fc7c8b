"""Behaviour leads to a banner or an email, within caps, gaps and consent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
from playwright.sync_api import expect

from e2e.inbox import wait_for_mail
from e2e.pictures import take_picture
from e2e.shopper import Contact, Shopper
from e2e.stack import Stack
from e2e.waiting import wait_for

#: How many tests begin with somebody who lingers.
LINGERERS: Final = 5

#: Each rule waits for some seconds.
BEGIN_TOGETHER: Final = (
    "lingering",
    "beside_a_reader",
    "in_two_tabs",
    "with_a_cart",
    "searching",
    "content_with_results",
    "gone_after_search",
    "with_an_order",
)
#: A browser and the message id of the banner that it shows.
Lingerer = tuple[Shopper, str]


def begin_to_linger(shopper: Shopper) -> None:
    """Rest on a product."""
    shopper.open("/category/packs")
    shopper.point_at("fell-28-daypack")


def see_help(shopper: Shopper) -> str:
    """Wait until a banner offers help, and return its message id."""
    return shopper.see_banner("Thinking about the Fell 28 Daypack?")


@pytest.fixture(scope="module")
def lingering(new_visitor: Callable[[], Shopper]) -> list[Shopper]:
    shoppers = [new_visitor() for _ in range(LINGERERS)]
    for shopper in shoppers:
        begin_to_linger(shopper)
    return shoppers


@pytest.fixture
def lingerer(lingering: list[Shopper]) -> Lingerer:
    """One of those who linger, for each test another."""
    shopper = lingering.pop()
    return shopper, see_help(shopper)


def test_lingering_over_a_product_brings_a_banner_and_seeing_it_is_recorded(lingerer: Lingerer) -> None:
    shopper, message_id = lingerer
    take_picture(shopper.page, "banner")
    shown = shopper.wait_for_event("message_shown", message_id=message_id)
    assert shown["props"] == {"rule": "hover_hesitation", "channel": "banner"}
    shopper.wait_for_message(message_id=message_id, state="sent", channel="banner", template="hover_help")
    shopper.wait_for_message(message_id=message_id, state="shown")
    shopper.wait_for_decision(message_id=message_id, verdict="send", reason="passed", rule="hover_hesitation")


@pytest.mark.parametrize(("key", "reason"), [("Escape", "escape"), ("Enter", "button")])
def test_a_banner_is_dismissed_by_keyboard(lingerer: Lingerer, key: str, reason: str) -> None:
    shopper, message_id = lingerer
    shopper.banner.get_by_role("button", name="Just looking").press(key)
    expect(shopper.banner).to_have_count(0)
    shopper.wait_for_event("message_dismissed", message_id=message_id, reason=reason, rule="hover_hesitation")
    shopper.wait_for_message(message_id=message_id, state="dismissed")


def test_following_a_banner_leads_on_and_is_recorded(lingerer: Lingerer) -> None:
    shopper, message_id = lingerer
    shopper.banner.get_by_role("link", name="How returns work").click()
    shopper.page.wait_for_url("**/returns")
    shopper.wait_for_event("message_clicked", message_id=message_id, rule="hover_hesitation")
    shopper.wait_for_message(message_id=message_id, state="clicked")
    expect(shopper.banner).to_have_count(0)


@pytest.fixture(scope="module")
def with_a_cart(new_visitor: Callable[[], Shopper]) -> Shopper:
    shopper = new_visitor()
    shopper.sign_up("berta@example.com", "Berta")
    shopper.open_product("fell-28-daypack")
    shopper.add_to_cart()
    shopper.open_product("peat-fleece")
    shopper.add_to_cart(size="M")
    return shopper


def test_an_abandoned_cart_brings_a_mail_that_names_what_is_in_it(with_a_cart: Shopper, stack: Stack) -> None:
    shopper = with_a_cart
    mail = wait_for_mail(stack, "berta@example.com")
    assert mail["subject"] == "Berta, your Fell 28 Daypack is waiting"
    for part in (mail["html"], mail["text"]):
        assert "Fell 28 Daypack" in part
        assert "Peat Fleece" in part
        assert "248.00" in part
        assert f"{stack.collector_url}/v1/c/" in part
    shopper.see_banner("Your Fell 28 Daypack is waiting")
    shopper.wait_for_message(channel="email", state="sent")
    _read_in_the_inbox(shopper, mail["id"])


def _read_in_the_inbox(shopper: Shopper, mail_id: int) -> None:
    page = shopper.page
    page.goto(shopper.stack.mailbox_url)
    expect(page.get_by_text("Berta, your Fell 28 Daypack is waiting").first).to_be_visible()
    take_picture(page, "inbox")
    page.goto(f"{shopper.stack.mailbox_url}/mail/{mail_id}")
    expect(page.frame_locator("iframe").get_by_text("Peat Fleece")).to_be_visible()
    take_picture(page, "email")


@pytest.fixture(scope="module")
def searching(new_visitor: Callable[[], Shopper]) -> Shopper:
    shopper = new_visitor()
    shopper.open_home()
    shopper.search("zeppelin")
    return shopper


def test_a_search_whose_results_are_not_used_brings_help(searching: Shopper) -> None:
    message_id = searching.see_banner("Not what you meant by “zeppelin”?")
    searching.wait_for_message(message_id=message_id, state="shown", rule="search_unused")


@pytest.fixture(scope="module")
def content_with_results(new_visitor: Callable[[], Shopper]) -> Shopper:
    shopper = new_visitor()
    shopper.open_home()
    shopper.search("wool")
    shopper.choose_product("glen-wool-throw")
    return shopper


def test_a_search_whose_results_are_used_brings_none(content_with_results: Shopper, stack: Stack) -> None:
    shopper = content_with_results
    shopper.wait_for_event("select_item")
    # The rule waits three seconds here; a later moment of the same visitor proves that they are over.
    shopper.wait_for_event("dwell", duration_ms=5000)
    assert stack.sql(f"SELECT rule FROM fires WHERE visitor_id = '{shopper.anonymous_id}'") == []


def test_leaving_opens_a_dialog_that_holds_the_keyboard_and_gives_it_back(shopper: Shopper) -> None:
    shopper.open_product("fell-28-daypack")
    quantity = shopper.page.get_by_label("Quantity")
    quantity.focus()
    shopper.leave_through_the_top()
    message_id = shopper.see_banner("Take ten percent along")
    expect(shopper.banner.get_by_role("dialog")).to_be_visible()
    take_picture(shopper.page, "exit-modal")
    for key in ["Tab"] * 4 + ["Shift+Tab"] * 5:
        shopper.page.keyboard.press(key)
        assert shopper.page.evaluate("document.activeElement.dataset.micromomentBanner") == message_id
    shopper.page.keyboard.press("Escape")
    expect(shopper.banner).to_have_count(0)
    expect(quantity).to_be_focused()
    shopper.wait_for_event("message_dismissed", message_id=message_id, reason="escape")


@pytest.fixture(scope="module")
def with_an_order(new_visitor: Callable[[], Shopper]) -> Shopper:
    shopper = new_visitor()
    # On a slow machine the cart counts as abandoned before the order is placed.
    not_now = shopper.banner.get_by_role("button", name="Not now")
    shopper.page.add_locator_handler(not_now, lambda button: button.click())
    shopper.buy("ember-enamel-mug", Contact("clara@example.com"))
    return shopper


def test_a_purchase_is_thanked_for_on_the_page_that_follows(with_an_order: Shopper) -> None:
    shopper = with_an_order
    message_id = shopper.see_banner("A thank-you, Ada")
    expect(shopper.banner).to_contain_text("THANKYOU15")
    shopper.wait_for_message(message_id=message_id, state="shown", rule="post_purchase_offer")


@pytest.fixture(scope="module")
def beside_a_reader(new_visitor: Callable[[], Shopper]) -> tuple[Shopper, Shopper]:
    """Somebody who lingers while somebody else reads."""
    lingering, reading = new_visitor(), new_visitor()
    reading.open("/category/packs")
    reading.wait_for_event("page_view")
    begin_to_linger(lingering)
    return lingering, reading


def test_two_visitors_never_see_each_others_banner(beside_a_reader: tuple[Shopper, Shopper]) -> None:
    lingering, reading = beside_a_reader
    message_id = see_help(lingering)
    # Each word of the reader is answered by a batch reply, and their stream stays open all the while.
    for number in range(3):
        reading.tell("track", "still_reading", {"number": number})
        reading.wait_for_event("still_reading", number=number)
    lingering.wait_for_message(message_id=message_id, state="shown")
    expect(reading.banner).to_have_count(0)
    assert lingering.anonymous_id != reading.anonymous_id
    assert reading.events("message_shown") == []


@pytest.fixture(scope="module")
def gone_after_search(new_visitor: Callable[[], Shopper]) -> tuple[Shopper, str]:
    """Somebody whose browser shows no page of the shop any more, and their anonymous id."""
    shopper = new_visitor()
    shopper.open_home()
    shopper.search("zeppelin")
    visitor = shopper.anonymous_id
    shopper.wait_for_event("search")
    shopper.page.goto("about:blank")
    return shopper, visitor


def test_a_banner_for_somebody_who_has_left_waits_for_their_next_page(gone_after_search: tuple[Shopper, str]) -> None:
    shopper, visitor = gone_after_search
    query = f"SELECT message_id FROM messages WHERE visitor_id = '{visitor}' AND state = 'sent'"
    (sent,) = wait_for(lambda: shopper.stack.sql(query), "the banner of somebody who has left")
    shopper.open("/returns")
    assert shopper.see_banner("zeppelin") == sent["message_id"]


@pytest.fixture(scope="module")
def in_two_tabs(new_visitor: Callable[[], Shopper], stack: Stack) -> list[Shopper]:
    shopper = new_visitor()
    tabs = [shopper, Shopper(shopper.page.context.new_page(), stack)]
    for tab in tabs:
        tab.open("/category/packs")
        tab.wait_for_event("page_view")
    shopper.point_at("fell-28-daypack")
    return tabs


def test_a_banner_is_shown_in_one_tab_only(in_two_tabs: list[Shopper]) -> None:
    tabs, shopper = in_two_tabs, in_two_tabs[0]
    shopper.wait_for_event("message_shown", rule="hover_hesitation")
    for number, tab in enumerate(tabs):
        tab.tell("track", "looked_at_tab", {"number": number})
        tab.wait_for_event("looked_at_tab", number=number)
    assert sum(tab.banner.count() for tab in tabs) == 1
    assert len(shopper.events("message_shown")) == 1


def test_each_message_has_a_verdict_with_its_reason(lingerer: Lingerer, stack: Stack) -> None:
    shopper, message_id = lingerer
    shopper.wait_for_message(message_id=message_id, state="shown")
    decided = "SELECT message_id FROM decisions WHERE verdict != '' AND reason != ''"
    settled = "SELECT count() AS silent FROM messages WHERE state != 'pending'"
    # Messages and verdicts come to ClickHouse in turns.
    silent = f"{settled} AND message_id NOT IN ({decided})"
    wait_for(lambda: stack.sql(silent) == [{"silent": 0}], "a verdict on each message")
    assert stack.sql("SELECT count() > 0 AS any FROM decisions") == [{"any": True}]
