"""A shop of its own for each test."""

from __future__ import annotations

import pytest
from litestar import Litestar

from demo_store.app import create_app
from demo_store.catalogue import Catalogue, load_catalogue
from demo_store.settings import StoreSettings
from tests.demo_store.browsing import IDENTITY_SECRET, Visitor


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="session")
def settings() -> StoreSettings:
    return StoreSettings(
        collector_url="https://collector.example", write_key="key-of-the-shop", identity_secret=IDENTITY_SECRET
    )


@pytest.fixture
def app(settings: StoreSettings) -> Litestar:
    return create_app(settings)


@pytest.fixture
def visitor(app: Litestar) -> Visitor:
    return Visitor(app)


@pytest.fixture
def another_visitor(app: Litestar) -> Visitor:
    return Visitor(app)
