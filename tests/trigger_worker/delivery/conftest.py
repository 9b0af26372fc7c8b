from __future__ import annotations

from pathlib import Path

import pytest

from tests.trigger_worker.delivery.dispatch_desk import Desk
from warehouse.connection import Warehouse


@pytest.fixture
def desk(embedded_warehouse: Warehouse, tmp_path: Path) -> Desk:
    return Desk(embedded_warehouse, tmp_path)
