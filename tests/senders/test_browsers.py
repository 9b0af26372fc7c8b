"""The SDKs of pages, unmodified, in Chromium, send to a running product from a shop of another origin."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from collector.sites import IdentityMode
from e2e.browser import open_browser
from tests.senders.browser_sdks import (
    COUNT,
    RUDDER_BATCHES,
    RUDDER_BEACON,
    RUDDER_SINGLE,
    SEGMENT_BATCHES,
    SEGMENT_SINGLE,
    BrowserSdk,
    call,
    serving_shop,
    wait_for,
    wait_for_events,
)
from tests.senders.product import Product, SenderSite
from tests.senders.relay import Fault, Relay
from tests.senders.server_sdks import on_one_engine
from tests.senders.story import ORDER, TENT

SDKS = (SEGMENT_SINGLE, SEGMENT_BATCHES, RUDDER_SINGLE, RUDDER_BATCHES, RUDDER_BEACON)
#: Those that see an answer: a beacon does not.
WITH_ANSWERS = (SEGMENT_SINGLE, SEGMENT_BATCHES, RUDDER_SINGLE, RUDDER_BATCHES)
each_sdk = pytest.mark.parametrize("sdk", SDKS, ids=[sdk.name for sdk in SDKS])
each_with_answers = pytest.mark.parametrize("sdk", WITH_ANSWERS, ids=[sdk.name for sdk in WITH_ANSWERS])
CALLS = (
    ("page", "Listing", "All tents"),
    ("track", "product added", {**TENT, "currency": "EUR"}),
    ("identify", "ann", {"email": "ann@shop.example", "plan": "pro"}),
    ("track", "Order Completed", ORDER),
    ("track", "Quiz Done", {"score": 7}),
    ("group", "club", {"name": "The club"}),
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@contextmanager
def visiting(browser: Browser, sdk: BrowserSdk) -> Iterator[Page]:
    """A page of a shop that has an SDK, in a profile of its own."""
    with serving_shop(sdk.script) as shop:
        context = browser.new_context(locale="de-AT", timezone_id="Europe/Vienna")
        page = context.new_page()
        page.goto(f"{shop}/tents?utm_source=news&utm_medium=email&utm_campaign=spring")
        yield page
        context.close()


def stored(product: Product, site: SenderSite) -> list[dict[str, Any]]:
    """The events of a site, each of which is there once."""
    rows = product.events(site)
    assert len({row["event_id"] for row in rows}) == len(rows)
    return rows


@each_sdk
def test_what_a_page_tells_is_stored_once_and_read_as_it_was_meant(
    product: Product, relay: Relay, browser: Browser, sdk: BrowserSdk
) -> None:
    site = product.new_site()
    with visiting(browser, sdk) as page:
        sdk.load_in(page, relay.url, site.write_key)
        call(page, *CALLS)
        wait_for_events(relay, page, len(CALLS))
        agent = page.evaluate("navigator.userAgent")
        clock = f"Etc/GMT{page.evaluate('new Date().getTimezoneOffset() / 60')}"
    assert {each.status for each in relay.exchanges} <= {200, 204}
    warned = {warning["reason"] for each in relay.sendings for warning in each.told().get("warnings", [])}
    assert warned == {"identity_unproven"}
    assert all(each.path.partition("?")[0] in sdk.paths for each in relay.sendings)
    assert len(relay.sent_ids()) == len(CALLS)
    rows = {row["event"]: row for row in stored(product, site)}
    assert rows.keys() == {"page_view", "add_to_cart", "identify", "purchase", "Quiz Done", "group"}
    (anonymous_id,) = {row["anonymous_id"] for row in rows.values()}
    # Nobody has signed who this is, and no secret shows which browser.
    assert anonymous_id.startswith("~")
    assert {row["visitor_id"] for row in rows.values()} == {anonymous_id}
    about = rows["page_view"]
    assert (about["path"], about["title"], about["page_type"]) == ("/tents", "Tents", "Listing")
    assert about["url"].endswith("/tents?utm_source=news&utm_medium=email&utm_campaign=spring")
    for row in rows.values():
        assert (row["utm_source"], row["utm_medium"], row["utm_campaign"]) == ("news", "email", "spring")
        assert row["locale"] == "de-AT"
        assert (row["timezone"], row["country"]) == (("Europe/Vienna", "AT") if sdk.names_zone else (clock, ""))
        assert (row["device"], row["browser"] != "") == ("desktop", "Chrome" in agent)
    bought, added = rows["purchase"], rows["add_to_cart"]
    assert (bought["order_id"], bought["value"], bought["currency"]) == ("o-1", 570.99, "EUR")
    assert [item["product_id"] for item in json.loads(bought["props"])["items"]] == ["tent-2", "stove-1"]
    assert (added["product_id"], added["price"], added["quantity"], added["value"]) == ("tent-2", 249.5, 2, 499)
    said = json.loads(rows["identify"]["props"])
    assert said == {"traits": {"email": "ann@shop.example", "plan": "pro"}}
    assert json.loads(rows["group"]["props"]) == {"traits": {"name": "The club"}, "group_id": "club"}
    assert [row["event"] for row in stored(product, site)] == [
        *("page_view", "add_to_cart", "identify", "purchase", "Quiz Done", "group"),
    ]


@on_one_engine
@each_with_answers
@pytest.mark.parametrize(
    "faults",
    [
        pytest.param((Fault(429, "too_many_requests", 1),), id="429"),
        pytest.param((Fault(503, "journal_full", 1),), id="503"),
        pytest.param((Fault(),), id="an answer is lost"),
    ],
)
def test_what_is_refused_for_now_is_sent_again_and_stored_once(
    product: Product, relay: Relay, browser: Browser, sdk: BrowserSdk, faults: tuple[Fault, ...]
) -> None:
    site = product.new_site()
    relay.faults.extend(faults)
    with visiting(browser, sdk) as page:
        sdk.load_in(page, relay.url, site.write_key)
        call(page, *(("track", "Quiz Done", {"score": number}) for number in range(5)))
        wait_for_events(relay, page, 5)
    assert [each.status for each in relay.sendings if each.status != 200] == [fault.status for fault in faults]
    assert sorted(json.loads(row["props"])["score"] for row in stored(product, site)) == [0, 1, 2, 3, 4]


@on_one_engine
@each_sdk
def test_a_page_that_is_left_loses_nothing_and_doubles_nothing(
    product: Product, relay: Relay, browser: Browser, sdk: BrowserSdk
) -> None:
    site = product.new_site()
    with visiting(browser, sdk) as page:
        sdk.load_in(page, relay.url, site.write_key)
        call(page, *(("track", "Quiz Done", {"score": number}) for number in range(7)))
        page.evaluate("location.href = '/next'")
        page.wait_for_url("**/next")
        # What an SDK kept for later is sent by the next page.
        sdk.load_in(page, relay.url, site.write_key)
        wait_for_events(relay, page, 7)
        # What was sent twice is there by now, too.
        page.wait_for_timeout(600)
    assert sorted(json.loads(row["props"])["score"] for row in stored(product, site)) == list(range(7))


@on_one_engine
@each_with_answers
def test_a_wrong_key_sends_nothing_and_says_why(
    product: Product, relay: Relay, browser: Browser, sdk: BrowserSdk
) -> None:
    said: list[str] = []
    with visiting(browser, sdk) as page:
        page.on("console", lambda message: said.append(message.text))
        sdk.load_in(page, relay.url, "no-key-of-any-site")
        page.evaluate("() => { Promise.resolve(window.sdk.track('Quiz Done', {})).catch(() => undefined) }")
        wait_for(lambda: len(said) > 0, page, lambda: "nothing was said")
        page.wait_for_timeout(1000)
    assert relay.sendings == []
    assert [each.status for each in relay.exchanges if each.method == "GET"] == [401]


@on_one_engine
def test_a_signed_user_is_believed_whose_signature_a_middleware_puts_into_the_context(
    product: Product, relay: Relay, browser: Browser
) -> None:
    site = product.new_site()
    signature = hmac.new(site.identity_secret.encode(), b"ann", "sha256").hexdigest()
    with visiting(browser, SEGMENT_SINGLE) as page:
        SEGMENT_SINGLE.load_in(page, relay.url, site.write_key)
        page.evaluate(
            """(hash) => window.sdk.addSourceMiddleware(({payload, next}) => {
                 payload.obj.context.userHash = hash;
                 next(payload);
               })""",
            signature,
        )
        call(page, ("track", "Quiz Done"), ("identify", "ann", {"plan": "pro"}), ("track", "Order Completed", ORDER))
        wait_for_events(relay, page, 3)
    assert all("warnings" not in each.told() for each in relay.sendings)
    rows = {row["event"]: row for row in stored(product, site)}
    assert rows["Quiz Done"]["visitor_id"] == rows["Quiz Done"]["anonymous_id"]
    assert {rows[name]["visitor_id"] for name in ("identify", "purchase")} == {"ann"}
    assert json.loads(rows["identify"]["props"])["proven_by"] == "signature"


@on_one_engine
@pytest.mark.parametrize("sdk", [SEGMENT_SINGLE, RUDDER_SINGLE], ids=["analytics-next", "analytics-js"])
@pytest.mark.parametrize("mode", ["required", "optional", "off"])
def test_a_user_that_nobody_signed_is_worth_what_the_site_says(
    product: Product, relay: Relay, browser: Browser, sdk: BrowserSdk, mode: IdentityMode
) -> None:
    site = product.new_site(mode)
    with visiting(browser, sdk) as page:
        sdk.load_in(page, relay.url, site.write_key)
        call(page, ("track", "Quiz Done"), ("identify", "ann", {"plan": "pro"}), ("track", "Order Completed", ORDER))
        wait_for_events(relay, page, 3)
    rows = {row["event"]: row for row in stored(product, site)}
    anonymous_id = rows["Quiz Done"]["visitor_id"]
    assert anonymous_id.startswith("~") is (mode != "off")
    assert {row["anonymous_id"] for row in rows.values()} == {anonymous_id}
    for name in ("identify", "purchase"):
        claimed = json.loads(rows[name]["props"]).get("claimed_user_id")
        assert (rows[name]["visitor_id"], claimed) == {
            "required": (anonymous_id, None),
            "optional": (anonymous_id, "ann"),
            "off": ("ann", None),
        }[mode]
    joined = product.rows(f"SELECT alias, person FROM identity FINAL WHERE site = '{site.name}'")
    assert joined == ([{"alias": anonymous_id, "person": "ann"}] if mode == "off" else [])


@on_one_engine
def test_settings_lead_a_page_here_that_names_no_host_of_its_own(product: Product, browser: Browser) -> None:
    site = product.new_site()
    with visiting(browser, SEGMENT_SINGLE) as page:
        page.evaluate(
            "({url, key}) => { window.sdk = AnalyticsNext.AnalyticsBrowser.load({writeKey: key, cdnURL: url}) }",
            {"url": product.url, "key": site.write_key},
        )
        with page.expect_response(lambda answer: answer.url.endswith("/v1/t")) as answer:
            page.evaluate("() => { window.sdk.track('Quiz Done') }")
        assert answer.value.status == 200
        assert answer.value.url == f"{product.url}/v1/t"
    assert [row["event"] for row in stored(product, site)] == ["Quiz Done"]


@on_one_engine
@each_sdk
def test_hundreds_of_events_of_one_page_are_stored_once(
    product: Product, relay: Relay, browser: Browser, sdk: BrowserSdk
) -> None:
    site = product.new_site()
    with visiting(browser, sdk) as page:
        sdk.load_in(page, relay.url, site.write_key)
        for begin in range(0, COUNT, sdk.at_once):
            numbers = range(begin, min(COUNT, begin + sdk.at_once))
            call(page, *(("track", "Quiz Done", {"score": number}) for number in numbers))
            wait_for_events(relay, page, numbers.stop)
    print(f"{sdk.name}: {COUNT} events in {len(relay.sendings)} requests")
    assert {each.status for each in relay.sendings} == {200}
    assert sorted(json.loads(row["props"])["score"] for row in stored(product, site)) == list(range(COUNT))
