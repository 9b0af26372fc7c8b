"""A shop with a running worker, on each engine in turn."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trigger_worker.shop import Shop
from trigger_worker.live import loop
from warehouse.connection import Warehouse


@pytest.fixture
async def shop(warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setattr(loop, "RELOAD_INTERVAL_SECONDS", 0.0)
    made = Shop(warehouse, tmp_path)
    await made.starts()
    return made


@pytest.fixture
async def embedded_shop(embedded_warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop on the embedded engine, for what does not depend on the engine."""
    monkeypatch.setattr(loop, "RELOAD_INTERVAL_SECONDS", 0.0)
    made = Shop(embedded_warehouse, tmp_path)
    await made.starts()
    return made
