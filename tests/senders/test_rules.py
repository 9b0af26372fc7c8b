"""What the SDKs of others send is what live rules are about: a rule fires for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from tests.scratch import scratch_folder
from tests.senders.product import Product, SenderSite, running_product
from tests.senders.server_sdks import SERVER_SDKS, ServerSdk
from tests.senders.story import TENT

RULE: Final = """
id: coupon_for_a_rich_cart
when: 'add_to_cart[value > 400] -> "Coupon Applied"'
if: cart.value > 400 and traits.plan == "pro" and count(search, 1h) == 1
every: 0
"""
CALLS: Final = (
    {"type": "identify", "userId": "ann", "anonymousId": "web-1", "traits": {"plan": "pro"}},
    {"type": "track", "anonymousId": "web-1", "event": "Products Searched", "properties": {"query": "tent"}},
    {"type": "track", "anonymousId": "web-1", "event": "product added", "properties": TENT},
    {"type": "track", "userId": "ann", "event": "Coupon Applied", "properties": {"coupon_id": "HELLO"}},
)


@pytest.fixture(scope="module")
def ruled() -> Iterator[Product]:
    with scratch_folder() as folder, running_product(folder, "") as product:
        (folder / "rules" / "rule.yaml").write_text(RULE)
        yield product


def _later(begun: datetime, place: int) -> str:
    return (begun + timedelta(milliseconds=10 * place)).isoformat()


def fires(product: Product, site: SenderSite) -> list[dict[str, Any]]:
    return product.rows(f"SELECT rule, visitor_id FROM fires WHERE site = '{site.name}'")


@pytest.mark.parametrize("sdk", SERVER_SDKS, ids=[sdk.name for sdk in SERVER_SDKS])
def test_a_rule_fires_for_what_an_sdk_tells(ruled: Product, sdk: ServerSdk) -> None:
    site = ruled.new_site()
    begun = datetime.now(UTC) - timedelta(seconds=1)
    # Events of one millisecond have the order of their ids, which SDKs draw at random.
    calls = [{**call, "timestamp": _later(begun, place)} for place, call in enumerate(CALLS)]
    assert sdk.send(ruled.url, site.server_key, calls).errors == []
    deadline = time.monotonic() + 60
    while not (fired := fires(ruled, site)):
        assert time.monotonic() < deadline, ruled.events(site, "event, visitor_id, ts")
        time.sleep(0.1)
    assert fired == [{"rule": "coupon_for_a_rich_cart", "visitor_id": "ann"}]
