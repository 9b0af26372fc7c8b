"""Each form of a banner: from the rule that sends it to the actions of the visitor on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from e2e.banner_forms import FORMS, banner_rules, check_for_everyone, moves, receive
from e2e.pictures import take_banner_picture
from e2e.shopper import Shopper
from e2e.stack import Stack
from e2e.visit import shopping


@pytest.fixture(scope="module", autouse=True)
def rules(browser: Browser, stack: Stack) -> Iterator[None]:
    """Add a rule for each form of a banner."""
    with shopping(browser, stack) as somebody:
        somebody.open("/returns")
        with banner_rules(somebody, {f"form_{form}": template for form, template in FORMS.items()}):
            yield


@pytest.fixture
def reader(shopper: Shopper) -> Shopper:
    """Return a shopper with an open page."""
    shopper.open_and_listen("/category/packs")
    return shopper


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_shown_followed_and_dismissed(reader: Shopper, form: str) -> None:
    followed = receive(reader, f"form_{form}")
    assert reader.see_banner("Warm for less") == followed
    assert reader.banner.get_attribute("data-form") == form
    assert moves(reader)
    reader.page.emulate_media(reduced_motion="reduce")
    assert not moves(reader)
    take_banner_picture(reader.page, form)
    check_for_everyone(reader, covers=form != "inline")
    reader.banner.get_by_role("link", name="See the offer").click()
    reader.page.wait_for_url("**/returns")
    reader.open("/category/packs")
    dismissed = receive(reader, f"form_{form}")
    assert reader.see_banner("Warm for less") == dismissed
    reader.banner.get_by_role("button", name="Close").click()
    expect(reader.banner).to_have_count(0)
    reader.wait_for_event("message_dismissed", message_id=dismissed, reason="button")
    reader.wait_for_message(message_id=dismissed, state="dismissed")
    reader.wait_for_message(message_id=followed, state="clicked")
