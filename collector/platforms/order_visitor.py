"""Finds the visitor of an order, for what a platform tells of it without naming anybody."""

from __future__ import annotations

from collector.platforms.platform import Who
from warehouse.connection import Warehouse
from warehouse.queries import read_sql


def visitor_of_order(warehouse: Warehouse, site: str, order_id: str) -> Who:
    """Return the visitor of an order, nobody where ClickHouse knows of none.

    Cost: one query that reads the order ids of all purchases of a site: refunds are rare enough.

    Raises:
        WarehouseError: ClickHouse did not answer.
    """
    rows = warehouse.query(read_sql("collector", "order_visitor"), {"site": site, "order_id": order_id})
    return next((Who(anonymous_id, user_id, agreed=True) for anonymous_id, user_id in rows), Who())
