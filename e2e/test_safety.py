"""The shop works without the SDK and the collector."""

from __future__ import annotations

from playwright.sync_api import Route

from e2e.shopper import Contact, Shopper

OURS = "[micromoment]"


def test_the_shop_works_without_the_snippet_being_reachable(shopper: Shopper) -> None:
    """Open the shop as with an ad blocker; every visit asserts that its pages have no errors."""
    shopper.page.route(f"{shopper.stack.collector_url}/**", lambda route: route.abort())
    assert shopper.buy("ember-enamel-mug", Contact("dora@example.com")).startswith("TT-")


def test_the_shop_works_while_the_collector_is_away_and_nothing_is_lost(shopper: Shopper) -> None:
    words: list[str] = []
    shopper.page.on("console", lambda message: words.append(message.text))
    pattern = f"{shopper.stack.collector_url}/v1/**"
    shopper.page.route(pattern, lambda route: route.abort())
    assert shopper.buy("ember-enamel-mug", Contact("emil@example.com")).startswith("TT-")
    shopper.page.unroute(pattern)
    shopper.wait_for_event("purchase")
    shopper.wait_for_event("add_to_cart")
    assert not any(OURS in word for word in words)


def test_a_collector_that_answers_nonsense_does_no_harm(shopper: Shopper) -> None:
    def answer(route: Route) -> None:
        headers = {"Access-Control-Allow-Origin": "*"}
        route.fulfill(status=200, content_type="application/json", headers=headers, body='{"messages": [7, {"x": 1}]}')

    shopper.page.route(f"{shopper.stack.collector_url}/v1/batch", answer)
    shopper.open_home()
    shopper.choose_product("fell-28-daypack")
    shopper.add_to_cart()
    assert shopper.banner.count() == 0
