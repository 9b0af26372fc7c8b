"""A page that comes back from the browser's back/forward cache goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from e2e.banner_forms import banner_rules, receive
from e2e.browser import FLAGS, system_chromium
from e2e.shopper import Shopper
from e2e.stack import Stack
from e2e.visit import shopping
from e2e.waiting import wait_for

_REMEMBER = "addEventListener('pageshow', ({ persisted }) => { window.isBack = persisted; })"


@pytest.fixture
def returning(browser: Browser, stack: Stack) -> Iterator[Shopper]:
    """Return a shopper whose browser has a back/forward cache, which automated browsers usually lack."""
    flag = "--disable-back-forward-cache"
    keeping = browser.browser_type.launch(
        executable_path=system_chromium(), args=list(FLAGS), ignore_default_args=[flag]
    )
    try:
        with shopping(keeping, stack) as shopper:
            yield shopper
    finally:
        keeping.close()


def test_a_page_that_comes_back_is_viewed_again_and_shows_banners(returning: Shopper) -> None:
    page = returning.page
    returning.open("/category/packs")
    with banner_rules(returning, {"back_again": "form: bar"}):
        first = returning.wait_for_event("page_view", path="/category/packs")
        page.evaluate(_REMEMBER)
        page.get_by_role("link", name="Membership").first.click()
        page.wait_for_url("**/membership")
        returning.wait_for_event("page_view", path="/membership")
        # Playwright's own way back waits for a load, which a kept page does not have.
        page.evaluate("history.back()")
        page.wait_for_url("**/category/packs", wait_until="commit")
        wait_for(lambda: page.evaluate("window.isBack"), "the page to come back as it was")
        views = wait_for(lambda: returning.events("page_view")[2:], "the view of the page that came back")
        assert [view["path"] for view in views] == [first["path"]]
        message_id = receive(returning, "back_again")
        assert returning.see_banner("Warm for less") == message_id
