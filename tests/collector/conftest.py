"""A collector over the embedded engine, and a client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from collector.parts import CollectorParts
from tests.collector.collector_parts import client_of, running_parts
from warehouse.connection import Warehouse


@pytest.fixture
async def parts(tmp_path: Path, embedded_warehouse: Warehouse) -> AsyncIterator[CollectorParts]:
    async with running_parts(tmp_path, embedded_warehouse) as parts:
        yield parts


@pytest.fixture
async def client(parts: CollectorParts) -> AsyncIterator[AsyncTestClient[Litestar]]:
    async with client_of(parts) as client:
        yield client
