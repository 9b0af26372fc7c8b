"""A product on each engine for the SDKs of others to send to, and a relay before it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import ENGINES
from tests.scratch import scratch_folder
from tests.senders.product import Product, running_product
from tests.senders.relay import Relay, relaying
from warehouse.connection import connect


@pytest.fixture(scope="session", params=ENGINES)
def product(request: pytest.FixtureRequest) -> Iterator[Product]:
    """A running product on each engine in turn."""
    if request.param == "embedded":
        with scratch_folder() as folder, running_product(folder, "") as product:
            yield product
        return
    listener: str = request.getfixturevalue("listener")
    database = "senders"
    with scratch_folder() as folder, running_product(folder, f"{listener}/{database}") as product:
        yield product
    with connect(listener) as server:
        server.command(f"DROP DATABASE IF EXISTS {database}")


@pytest.fixture
def relay(product: Product) -> Iterator[Relay]:
    """A relay before the product, which nothing goes wrong on unless a test says so."""
    with relaying(product.port) as relay:
        yield relay
