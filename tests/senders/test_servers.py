"""The SDKs of shops' servers, unmodified, send to a running product: every event once, and read as it was meant."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.senders.product import Product, SenderSite
from tests.senders.relay import Fault, Relay
from tests.senders.server_sdks import COUNT, SERVER_SDKS, ServerSdk, on_one_engine, refused_for_now
from tests.senders.story import CALLS, PROPS, STORED, stored_times

each_sdk = pytest.mark.parametrize("sdk", SERVER_SDKS, ids=[sdk.name for sdk in SERVER_SDKS])


def by_call(product: Product, site: SenderSite) -> dict[str, dict[str, Any]]:
    """Return the events of a site by their ids; each of them is there once."""
    rows = product.events(site)
    assert len(rows) == len({row["event_id"] for row in rows})
    return {row["event_id"]: row for row in rows}


def ids(product: Product, site: SenderSite) -> list[str]:
    return sorted(row["event_id"] for row in product.events(site, "event_id"))


def numbered(count: int) -> list[str]:
    return sorted(f"n-{number}" for number in range(count))


@each_sdk
def test_each_call_is_stored_once_and_read_as_it_was_meant(product: Product, relay: Relay, sdk: ServerSdk) -> None:
    site = product.new_site()
    sent = sdk.send(relay.url, site.server_key, CALLS)
    assert sent.errors == []
    assert {each.status for each in relay.sendings} == {200}
    assert sorted(relay.sent_ids()) == sorted(call["messageId"] for call in CALLS)
    assert [each.told() for each in relay.sendings] == [{"success": True}] * len(relay.sendings)
    # They are a minute apart.
    found = product.events(site)
    for row, told in zip(found, STORED, strict=True):
        assert {name: row[name] for name in told} == told
    assert [row["ts"] for row in found] == stored_times()
    for place, told in PROPS.items():
        props = json.loads(found[place]["props"])
        assert {name: props.get(name) for name in told} == told
    items = json.loads(found[5]["props"])["items"]
    assert [(item["product_id"], item["name"], item["price"], item["quantity"]) for item in items] == [
        ("tent-2", "Dome tent", 249.5, 2),
        ("stove-1", "Stove", 60, 1),
    ]


@on_one_engine
@each_sdk
def test_with_the_write_key_a_server_is_a_page_and_is_told_so(product: Product, relay: Relay, sdk: ServerSdk) -> None:
    site = product.new_site()
    calls = [
        {"type": "track", "userId": "ann", "anonymousId": "web-1", "event": "Product Viewed", "messageId": "both"},
        {"type": "track", "userId": "ann", "event": "Product Viewed", "messageId": "user"},
        {"type": "track", "anonymousId": "web-1", "event": "Product Viewed", "messageId": "browser"},
    ]
    assert sdk.send(relay.url, site.write_key, calls).errors == []
    told = [each.told() for each in relay.sendings]
    assert [(drop["messageId"], drop["reason"]) for each in told for drop in each.get("dropped", [])] == [
        ("user", "identity_unproven")
    ]
    warned = [warning for each in told for warning in each.get("warnings", [])]
    assert [(warning["messageId"], warning["reason"]) for warning in warned] == [("both", "identity_unproven")]
    assert {name: row["visitor_id"] for name, row in by_call(product, site).items()} == {
        "both": "~web-1",
        "browser": "~web-1",
    }


@on_one_engine
@each_sdk
@refused_for_now
def test_what_is_refused_for_now_is_sent_again_and_stored_once(
    product: Product, relay: Relay, sdk: ServerSdk, faults: tuple[Fault, ...]
) -> None:
    site = product.new_site()
    relay.faults.extend(faults)
    assert sdk.send(relay.url, site.server_key, count=40).errors == []
    assert [each.status for each in relay.sendings if each.status != 200] == [fault.status for fault in faults]
    # What an answer was lost of was stored, and is told to be stored already.
    assert ids(product, site) == numbered(40)
    assert sorted(relay.sent_ids()) == numbered(40)


@on_one_engine
@each_sdk
def test_a_wrong_key_ends_in_an_error_and_not_in_retries(product: Product, relay: Relay, sdk: ServerSdk) -> None:
    sent = sdk.send(relay.url, "no-key-of-any-site", count=sdk.batch)
    assert {each.status for each in relay.sendings} == {401}
    assert len(relay.sent_ids(401)) == len(set(relay.sent_ids(401))) == sdk.batch
    assert sent.errors


@each_sdk
def test_thousands_of_events_are_stored_once(product: Product, relay: Relay, sdk: ServerSdk) -> None:
    site = product.new_site()
    sent = sdk.send(relay.url, site.server_key, count=COUNT)
    assert sent.errors == []
    stored = ids(product, site)
    print(f"{sdk.name}: {COUNT} events in {len(relay.sendings)} requests, {sent.seconds:.1f} s")
    assert stored == numbered(COUNT)
    assert {each.status for each in relay.sendings} == {200}
    assert len(relay.sent_ids()) == COUNT
