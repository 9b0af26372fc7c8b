"""A ClickHouse that is away, for what does not need it."""

from __future__ import annotations

from typing import Final, cast

from warehouse.connection import Warehouse
from warehouse.errors import WarehouseUnavailable


class _AwayWarehouse:
    """Nothing answers."""

    def query(self, *_: object) -> None:
        raise WarehouseUnavailable("nobody there")


AWAY: Final = cast(Warehouse, _AwayWarehouse())
