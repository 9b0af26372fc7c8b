"""posthog-js, unmodified, in Chromium: what a page tells is stored once, and nothing is asked for that is not here."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page

from e2e.browser import open_browser
from tests.senders.browser_sdks import COUNT, serving_shop, wait_for
from tests.senders.installed import node_sdk
from tests.senders.posthog_requests import event_exchanges, sent_events, sent_uuids
from tests.senders.product import Product, SenderSite
from tests.senders.relay import Fault, Relay
from tests.senders.server_sdks import on_one_engine
from tests.senders.story import ORDER, TENT

#: Events that the page captures before it waits until they are sent.
_AT_ONCE: Final = 250
_SCRIPT: Final = node_sdk("posthog-js", "dist/array.js")
_LOAD: Final = """({url, key, options}) => new Promise((done) => {
  document.body.insertAdjacentHTML("beforeend", `
    <main><button id="buy" class="btn"><span>Buy now</span></button>
    <form name="sign-up" onsubmit="return false"><input name="email"><button>Go</button></form></main>`);
  window.posthog.init(key, {
    api_host: url,
    // Chromium under test is a robot, whose events it would keep to itself.
    opt_out_useragent_filter: true,
    request_queue_config: {flush_interval_ms: 250},
    ...options,
    loaded: done,
  });
})"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@contextmanager
def visiting(browser: Browser) -> Iterator[Page]:
    """A page of a shop that has the SDK, in a profile of its own."""
    with serving_shop(_SCRIPT) as shop:
        context = browser.new_context(locale="de-AT", timezone_id="Europe/Vienna")
        page = context.new_page()
        page.goto(f"{shop}/tents?utm_source=news&utm_medium=email&utm_campaign=spring")
        yield page
        context.close()


def load_in(page: Page, url: str, key: str, **options: Any) -> None:
    page.evaluate(_LOAD, {"url": url, "key": key, "options": options})


def wait_for_events(relay: Relay, page: Page, *names: str) -> None:
    """Wait until events of these names were acknowledged."""
    wait_for(
        lambda: not set(names) - {event["event"] for event in sent_events(relay)},
        page,
        lambda: json.dumps([(each.path, each.status, each.body[:300].decode("latin-1")) for each in relay.exchanges]),
    )


def wait_for_number(relay: Relay, page: Page, events: int) -> None:
    """Wait until so many events were acknowledged."""
    wait_for(lambda: len(set(sent_uuids(relay))) >= events, page, lambda: "not all are sent")


def stored(product: Product, site: SenderSite) -> list[dict[str, Any]]:
    """The events of a site, each of which is there once."""
    rows = product.events(site)
    assert len({row["event_id"] for row in rows}) == len(rows)
    return rows


def _visit(page: Page) -> None:
    """Do what a visitor does, and what the shop's scripts tell."""
    page.click("#buy span")
    page.fill("input[name=email]", "ann@shop.example")
    page.click("form button")
    page.evaluate(
        """([tent, order]) => {
          posthog.capture("Product Added", tent);
          posthog.capture("Order Completed", order);
          posthog.capture("quiz_done", {score: 7});
          posthog.identify("ann", {plan: "pro"}, {first_shop: "north"});
          posthog.setPersonProperties({size: "M"});
          posthog.group("company", "acme", {seats: 9});
          posthog.alias("ann-of-old");
        }""",
        [{**TENT, "currency": "EUR"}, ORDER],
    )


@pytest.mark.parametrize("options", [{}, {"disable_compression": True}], ids=["gzip", "plain"])
def test_what_a_page_tells_is_stored_once_and_read_as_it_was_meant(
    product: Product, relay: Relay, browser: Browser, options: dict[str, Any]
) -> None:
    site = product.new_site()
    failed: list[str] = []
    with visiting(browser) as page:
        page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
        load_in(page, relay.url, site.write_key, **options)
        wait_for_events(relay, page, "$pageview")
        _visit(page)
        wait_for_events(relay, page, "$identify", "$set", "$groupidentify", "$create_alias", "$autocapture")
        page.evaluate("location.href = '/next'")
        page.wait_for_url("**/next")
        wait_for_events(relay, page, "$pageleave")
        page.wait_for_timeout(500)
    assert [path for path in failed if "favicon" not in path] == []
    asked = {each.path.partition("?")[0] for each in relay.exchanges}
    # Having said who somebody is, it asks for their flags, whatever it was told before.
    assert asked == {f"/array/{site.write_key}/config.js", "/flags/", "/e/"}
    assert {each.status for each in relay.exchanges if each.method != "OPTIONS"} == {200}
    rows = stored(product, site)
    # An alias needs proof, and an order is known by its order.
    others = {"$create_alias", "Order Completed"}
    of_pages = sorted(event["uuid"] for event in sent_events(relay) if event["event"] not in others)
    assert sorted(row["event_id"] for row in rows if row["event"] != "purchase") == of_pages
    assert {row["event"] for row in rows} == {
        *("page_view", "page_leave", "click", "form_change", "form_submit", "add_to_cart", "purchase", "quiz_done"),
        *("identify", "group"),
    }
    # Nobody has signed who this is, and no secret shows which browser: an alias is for those who may be believed.
    (anonymous_id,) = {row["visitor_id"] for row in rows}
    assert anonymous_id.startswith("~")
    drops = [drop for each in event_exchanges(relay) for drop in each.told().get("dropped", [])]
    assert [drop["reason"] for drop in drops] == ["identity_unproven"]
    check_what_is_stored(rows)


def check_what_is_stored(rows: list[dict[str, Any]]) -> None:
    """Check that each event of the visit was read as it was meant."""
    by_name = {row["event"]: row for row in rows}
    about = by_name["page_view"]
    assert (about["path"], about["title"], about["referrer"]) == ("/tents", "Tents", "")
    assert about["url"].endswith("/tents?utm_source=news&utm_medium=email&utm_campaign=spring")
    for row in rows:
        assert (row["utm_source"], row["utm_medium"], row["utm_campaign"]) == ("news", "email", "spring")
        assert (row["timezone"], row["country"]) == ("Europe/Vienna", "AT")
        # Chromium under test forgets the language that it was given while it leaves a page.
        assert row["event"] == "page_leave" or row["locale"] == "de-AT"
        assert (row["device"], "Chrome" in row["browser"]) == ("desktop", True)
        assert row["session_id"] == about["session_id"] != ""
    clicked = [json.loads(row["props"]) for row in rows if row["event"] == "click"]
    assert clicked[0] == {"selector": "button#buy>span", "text": "Buy now"}
    assert json.loads(by_name["form_submit"]["props"]) == {"selector": "main>form", "form_id": "sign-up"}
    assert "ann@shop.example" not in json.dumps(rows)
    assert (by_name["add_to_cart"]["product_id"], by_name["add_to_cart"]["value"]) == ("tent-2", 499)
    assert (by_name["purchase"]["order_id"], by_name["purchase"]["value"]) == ("o-1", 570.99)
    assert [item["product_id"] for item in json.loads(by_name["purchase"]["props"])["items"]] == ["tent-2", "stove-1"]
    assert json.loads(by_name["quiz_done"]["props"]) == {"score": 7}
    identified = [json.loads(row["props"]) for row in rows if row["event"] == "identify"]
    # Beside what it is told, the SDK tells of the campaign that brought the visitor first.
    assert {"plan": "pro"} in [each["traits"] for each in identified]
    assert {"size": "M"} in [each["traits"] for each in identified]
    (once,) = (each["traits_once"] for each in identified if "traits_once" in each)
    assert once == {"first_shop": "north", "utm_source": "news", "utm_medium": "email", "utm_campaign": "spring"}
    left = by_name["page_leave"]
    assert left["duration_ms"] > 0
    assert 0 <= left["depth_pct"] <= 100


@on_one_engine
@pytest.mark.parametrize(
    "faults",
    [
        pytest.param((Fault(503, "too_many_requests", 1),), id="503"),
        pytest.param((Fault(),), id="an answer is lost"),
    ],
)
def test_what_is_refused_for_now_is_sent_again_and_stored_once(
    product: Product, relay: Relay, browser: Browser, faults: tuple[Fault, ...]
) -> None:
    site = product.new_site()
    relay.faults.extend(faults)
    with visiting(browser) as page:
        load_in(page, relay.url, site.write_key, autocapture=False, capture_pageview=False)
        page.evaluate("() => { for (let score = 0; score < 5; score += 1) posthog.capture('quiz_done', {score}) }")
        wait_for(lambda: len(set(sent_uuids(relay))) == 5, page, lambda: "not sent again")
    assert [each.status for each in event_exchanges(relay) if each.status != 200] == [fault.status for fault in faults]
    assert sorted(json.loads(row["props"])["score"] for row in stored(product, site)) == [0, 1, 2, 3, 4]


@on_one_engine
def test_hundreds_of_events_of_one_page_are_stored_once(product: Product, relay: Relay, browser: Browser) -> None:
    site = product.new_site()
    with visiting(browser) as page:
        # By itself it keeps back what comes faster than ten a second.
        faster = {"events_per_second": COUNT, "events_burst_limit": 2 * COUNT}
        load_in(page, relay.url, site.write_key, autocapture=False, capture_pageview=False, rate_limiting=faster)
        for begin in range(0, COUNT, _AT_ONCE):
            end = min(COUNT, begin + _AT_ONCE)
            page.evaluate(
                "([from, to]) => { for (let n = from; n < to; n += 1) posthog.capture('quiz_done', {score: n}) }",
                [begin, end],
            )
            wait_for_number(relay, page, end)
    assert {each.status for each in event_exchanges(relay)} == {200}
    found = [json.loads(row["props"])["score"] for row in stored(product, site) if row["event"] == "quiz_done"]
    assert sorted(found) == list(range(COUNT))


@on_one_engine
def test_a_page_that_is_left_at_once_loses_nothing_and_doubles_nothing(
    product: Product, relay: Relay, browser: Browser
) -> None:
    site = product.new_site()
    with visiting(browser) as page:
        load_in(page, relay.url, site.write_key, autocapture=False, request_queue_config={"flush_interval_ms": 5_000})
        page.evaluate(
            """() => {
              for (let score = 0; score < 7; score += 1) posthog.capture('quiz_done', {score});
              location.href = '/next';
            }"""
        )
        page.wait_for_url("**/next")
        wait_for_events(relay, page, "quiz_done", "$pageleave")
        page.wait_for_timeout(500)
    scores = [json.loads(row["props"])["score"] for row in stored(product, site) if row["event"] == "quiz_done"]
    assert sorted(scores) == list(range(7))


@on_one_engine
def test_a_wrong_token_is_told_and_nothing_is_tried_again(product: Product, relay: Relay, browser: Browser) -> None:
    with visiting(browser) as page:
        load_in(page, relay.url, "no-key-of-any-site")
        page.evaluate("() => { posthog.capture('quiz_done') }")
        wait_for(lambda: len(event_exchanges(relay)) > 0, page, lambda: "nothing was sent")
        page.wait_for_timeout(7_000)
    assert {each.status for each in relay.exchanges if each.method != "OPTIONS"} == {401}
    assert len(sent_uuids(relay, 401)) == len(set(sent_uuids(relay, 401)))


@on_one_engine
def test_a_signed_user_is_believed_whose_signature_is_registered(
    product: Product, relay: Relay, browser: Browser
) -> None:
    site = product.new_site()
    signature = hmac.new(site.identity_secret.encode(), b"ann", "sha256").hexdigest()
    with visiting(browser) as page:
        load_in(page, relay.url, site.write_key, autocapture=False)
        page.evaluate(
            """(userHash) => {
              posthog.capture("quiz_done");
              posthog.register({userHash});
              posthog.identify("ann", {plan: "pro"});
              posthog.capture("Coupon Applied");
            }""",
            signature,
        )
        wait_for_events(relay, page, "quiz_done", "$identify", "Coupon Applied")
    rows = {row["event"]: row for row in stored(product, site)}
    assert rows["quiz_done"]["visitor_id"] == rows["quiz_done"]["anonymous_id"]
    assert {rows[name]["visitor_id"] for name in ("identify", "Coupon Applied")} == {"ann"}
    assert {row["anonymous_id"] for row in rows.values()} == {rows["quiz_done"]["visitor_id"]}
    said = json.loads(rows["identify"]["props"])
    assert (said["traits"], said["proven_by"]) == ({"plan": "pro"}, "signature")
    assert "userHash" not in json.dumps(list(rows.values()))


@on_one_engine
def test_with_flags_asked_for_none_is_on_and_none_fails(product: Product, relay: Relay, browser: Browser) -> None:
    site = product.new_site()
    with visiting(browser) as page:
        load_in(page, relay.url, site.write_key, autocapture=False)
        flags = page.evaluate(
            """() => new Promise((done) => {
              posthog.onFeatureFlags((names) => done(names));
              posthog.reloadFeatureFlags();
            })"""
        )
        enabled = page.evaluate("() => posthog.isFeatureEnabled('new-cart') || false")
        page.evaluate("() => { posthog.startSessionRecording(); posthog.capture('quiz_done') }")
        wait_for_events(relay, page, "quiz_done")
    assert (flags, enabled) == ([], False)
    asked = [each for each in relay.exchanges if each.path.startswith("/flags/")]
    assert [each.status for each in asked] == [200]
    assert {row["event"] for row in stored(product, site)} >= {"page_view", "quiz_done"}
