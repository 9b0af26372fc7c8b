"""A collector over the embedded engine, and a client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from collector.parts import Edge
from tests.collector.edges import client_of, running_edge
from warehouse.connection import Warehouse


@pytest.fixture
async def edge(tmp_path: Path, embedded_warehouse: Warehouse) -> AsyncIterator[Edge]:
    async with running_edge(tmp_path, embedded_warehouse) as edge:
        yield edge


@pytest.fixture
async def client(edge: Edge) -> AsyncIterator[AsyncTestClient[Litestar]]:
    async with client_of(edge) as client:
        yield client
