"""PostHog's SDKs for servers, unmodified, send to a running product: every event once, and read as it was meant."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from tests.senders.posthog_requests import event_exchanges, sent_uuids
from tests.senders.product import Product, SenderSite
from tests.senders.relay import Fault, Relay
from tests.senders.server_sdks import COUNT, ServerSdk, on_one_engine, refused_for_now
from tests.senders.story import BEGUN, CHROME, ORDER, TENT

PYTHON: Final = ServerSdk("posthog-python 7.91.1", "posthog_python.py", "posthog-7.91.1", 100, {"gzip": True})
PYTHON_V1: Final = ServerSdk(
    "posthog-python 7.91.1, v1", "posthog_python.py", "posthog-7.91.1", 100, {"capture_mode": "v1", "gzip": True}
)
# It forgets what waits beyond a thousand events unless it is told otherwise.
_NODE_OPTIONS: Final = {"maxQueueSize": 20_000, "fetchRetryDelay": 200}
NODE: Final = ServerSdk("posthog-node 5.70.0", "posthog_node.cjs", "posthog-node", 20, _NODE_OPTIONS)
SDKS: Final = (PYTHON, PYTHON_V1, NODE)
each_sdk = pytest.mark.parametrize("sdk", SDKS, ids=[sdk.name for sdk in SDKS])

#: A browser of posthog-js, by the id that its page gave the server.
BROWSER: Final = "0192f0c1-7e4b-7c3a-9a51-6f0d3b8c2e11"
PAGE: Final[dict[str, Any]] = {
    "$current_url": "https://shop.example/tents?a=1",
    "$referrer": "https://news.example/",
    "$raw_user_agent": CHROME,
    "$timezone": "Europe/Vienna",
    "$session_id": "session-1",
    "$geoip_country_code": "AT",
    "utm_source": "news",
}


def _calls() -> list[dict[str, Any]]:
    ann = {"distinctId": "ann"}
    return [
        {"type": "capture", **ann, "event": "$pageview", "properties": {**PAGE, "title": "Tents"}},
        {"type": "capture", **ann, "event": "Product Added", "properties": {**TENT, "currency": "EUR"}},
        {"type": "capture", **ann, "event": "Order Completed", "properties": ORDER},
        {"type": "capture", **ann, "event": "quiz_done", "properties": {"score": 7}, "set": {"plan": "pro"}},
        {"type": "set", **ann, "properties": {"email": "ann@shop.example", "age": 41}},
        {"type": "set_once", **ann, "properties": {"first_shop": "north", "plan": "free"}},
        {"type": "capture", "distinctId": "43", "event": "Coupon Applied", "properties": {"coupon_id": "HELLO"}},
        {"type": "alias", **ann, "alias": BROWSER},
        {"type": "group", **ann, "key": "acme", "properties": {"seats": 9}},
    ]


def uuid_of(place: int) -> str:
    return str(UUID(int=0x5000_0000 + place))


#: The calls, a minute apart, as far as an SDK lets their times be said.
CALLS: Final = [
    call
    if call["type"] in {"alias", "group"}
    else {**call, "uuid": uuid_of(place), "timestamp": (BEGUN + timedelta(minutes=place)).isoformat()}
    for place, call in enumerate(_calls())
]


def numbered(count: int) -> list[str]:
    return sorted(str(UUID(int=number)) for number in range(count))


def ids(product: Product, site: SenderSite) -> list[str]:
    return sorted(row["event_id"] for row in product.events(site, "event_id"))


@each_sdk
def test_each_call_is_stored_once_and_read_as_it_was_meant(product: Product, relay: Relay, sdk: ServerSdk) -> None:
    site = product.new_site()
    assert sdk.send(relay.url, site.server_key, CALLS).errors == []
    assert {each.status for each in event_exchanges(relay)} == {200}
    assert len(sent_uuids(relay)) == len(set(sent_uuids(relay))) == len(CALLS)
    rows = product.events(site)
    assert len({row["event_id"] for row in rows}) == len(rows)
    by_id = {row["event_id"]: row for row in rows}
    at = {(row["ts"], row["event_id"].endswith(":set")): row for row in rows}
    times = [(BEGUN + timedelta(minutes=place)).strftime("%Y-%m-%d %H:%M:%S.000") for place in range(7)]
    found = [at[time, False] for time in times]
    # An order is known by its order.
    assert [row["event_id"] for row in found if row["event"] != "purchase"] == [
        uuid_of(place) for place in range(7) if place != 2
    ]
    assert [(row["event"], row["visitor_id"], row["anonymous_id"]) for row in found] == [
        ("page_view", "ann", ""),
        ("add_to_cart", "ann", ""),
        ("purchase", "ann", ""),
        ("quiz_done", "ann", ""),
        ("identify", "ann", ""),
        ("identify", "ann", ""),
        ("Coupon Applied", "43", ""),
    ]
    about = found[0]
    assert (about["path"], about["title"], about["session_id"]) == ("/tents", "Tents", "session-1")
    assert (about["referrer"], about["country"], about["utm_source"]) == ("https://news.example/", "AT", "news")
    assert (about["device"], about["os"], about["browser"]) == ("desktop", "Windows", "Chrome")
    # The machine on which the shop's program runs is no visitor's.
    assert (found[3]["device"], found[3]["os"]) == ("", "")
    assert (found[1]["product_id"], found[1]["price"], found[1]["value"]) == ("tent-2", 249.5, 499)
    bought = found[2]
    assert (bought["order_id"], bought["value"], bought["currency"], bought["coupon"]) == (
        "o-1",
        570.99,
        "EUR",
        "HELLO",
    )
    assert [(item["product_id"], item["quantity"]) for item in json.loads(bought["props"])["items"]] == [
        ("tent-2", 2),
        ("stove-1", 1),
    ]
    assert json.loads(found[3]["props"]) == {"score": 7}
    assert json.loads(by_id[f"{uuid_of(3)}:set"]["props"])["traits"] == {"plan": "pro"}
    assert json.loads(found[4]["props"])["traits"] == {"email": "ann@shop.example", "age": 41}
    assert json.loads(found[5]["props"])["traits_once"] == {"first_shop": "north", "plan": "free"}
    others = [row for row in rows if row["ts"] not in times]
    assert sorted((row["event"], row["visitor_id"], row["anonymous_id"]) for row in others) == [
        ("alias", "ann", BROWSER),
        # As the page's own events name that browser.
        ("alias", "ann", f"~{BROWSER}"),
        ("group", "ann", ""),
    ]
    (group,) = (json.loads(row["props"]) for row in others if row["event"] == "group")
    assert (group["group_id"], group["traits"]) == ("acme", {"seats": 9})


@on_one_engine
@each_sdk
@refused_for_now
def test_what_is_refused_for_now_is_sent_again_and_stored_once(
    product: Product, relay: Relay, sdk: ServerSdk, faults: tuple[Fault, ...]
) -> None:
    site = product.new_site()
    relay.faults.extend(faults)
    assert sdk.send(relay.url, site.server_key, count=40).errors == []
    assert [each.status for each in event_exchanges(relay) if each.status != 200] == [fault.status for fault in faults]
    assert ids(product, site) == numbered(40)
    assert sorted(sent_uuids(relay)) == numbered(40)


@on_one_engine
@each_sdk
def test_a_wrong_key_ends_in_an_error_and_not_in_retries(product: Product, relay: Relay, sdk: ServerSdk) -> None:
    sent = sdk.send(relay.url, "no-key-of-any-site", count=sdk.batch)
    assert {each.status for each in event_exchanges(relay)} == {401}
    assert len(sent_uuids(relay, 401)) == len(set(sent_uuids(relay, 401))) == sdk.batch
    assert sent.errors


@on_one_engine
@each_sdk
def test_with_the_write_key_a_server_is_a_page(product: Product, relay: Relay, sdk: ServerSdk) -> None:
    site = product.new_site()
    assert sdk.send(relay.url, site.write_key, count=3).errors == []
    assert {row["visitor_id"] for row in product.events(site)} == {"~u-0", "~u-1", "~u-2"}


@each_sdk
def test_thousands_of_events_are_stored_once(product: Product, relay: Relay, sdk: ServerSdk) -> None:
    site = product.new_site()
    sent = sdk.send(relay.url, site.server_key, count=COUNT)
    assert sent.errors == []
    print(f"{sdk.name}: {COUNT} events in {len(event_exchanges(relay))} requests, {sent.seconds:.1f} s")
    assert ids(product, site) == numbered(COUNT)
    assert {each.status for each in event_exchanges(relay)} == {200}
    assert len(sent_uuids(relay)) == COUNT
