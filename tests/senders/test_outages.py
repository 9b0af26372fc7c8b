"""The SDKs of shops' servers while the collector is busy, and while it is killed: nothing is lost, nothing doubled."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.scratch import scratch_folder
from tests.senders.product import Product, running_product
from tests.senders.relay import relaying
from tests.senders.server_sdks import SERVER_SDKS, ServerSdk

each_sdk = pytest.mark.parametrize("sdk", SERVER_SDKS, ids=[sdk.name for sdk in SERVER_SDKS])
#: A site may have 50 requests at once, where five events are one, and ten in a second.
BUSY = "rate_per_second = 100000\nsite_rate_per_second = 10"
COUNT = 400
KILLED_AFTER = 4


@pytest.fixture(scope="module")
def busy() -> Iterator[Product]:
    with scratch_folder() as folder, running_product(folder, "", BUSY) as product:
        yield product


@pytest.fixture(scope="module")
def mortal() -> Iterator[Product]:
    with scratch_folder() as folder, running_product(folder, "") as product:
        yield product


def ids(product: Product, name: str) -> list[str]:
    return sorted(row["event_id"] for row in product.rows(f"SELECT event_id FROM event_feed WHERE site = '{name}'"))


def numbered(count: int) -> list[str]:
    return sorted(f"n-{number}" for number in range(count))


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@each_sdk
def test_a_busy_collector_is_waited_for(busy: Product, sdk: ServerSdk) -> None:
    site = busy.new_site()
    with relaying(busy.port) as relay:
        assert sdk.send(relay.url, site.server_key, count=COUNT).errors == []
    refused = [each for each in relay.sendings if each.status != 200]
    assert {(each.status, each.told()["code"]) for each in refused} == {(429, "site_too_busy")}
    assert [row["event_id"] for row in busy.events(site, "event_id")]
    assert ids(busy, site.name) == numbered(COUNT)


@each_sdk
def test_a_collector_that_is_killed_in_the_middle_loses_and_doubles_nothing(mortal: Product, sdk: ServerSdk) -> None:
    site, count = mortal.new_site(), 20 * sdk.batch
    with relaying(mortal.port) as relay:
        relay.held_after = KILLED_AFTER
        sending = sdk.start(relay.url, site.server_key, count=count)
        # Those before it are answered, or under way; it finds nobody.
        until(lambda: relay.begun > KILLED_AFTER)
        mortal.kill()
        relay.resume.set()
        mortal.start()
        assert sending.wait().errors == []
    # No answer is what a sender gets from a collector that is away.
    assert {each.status for each in relay.sendings} == {200, 0}
    assert len(mortal.events(site, "event_id")) == count
    assert ids(mortal, site.name) == numbered(count)
