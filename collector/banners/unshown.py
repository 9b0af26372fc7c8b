"""The banners that ClickHouse still holds for a visitor, for a page that just opened."""

from __future__ import annotations

from collector.banners.desk import Banner, Browser
from warehouse.connection import Warehouse
from warehouse.queries import read_sql


def unshown_banners(warehouse: Warehouse, visitor: Browser, now_ms: int) -> list[Banner]:
    """Return banners that were sent to a visitor and never shown, oldest first.

    Cost: the visitor's own rows of `messages`, whatever the table holds.

    Raises:
        WarehouseError: ClickHouse did not answer; the page still gets what comes from now on.
    """
    parameters = {"site": visitor.site, "anonymous_id": visitor.anonymous_id, "now_ms": now_ms}
    rows = warehouse.query(read_sql("collector", "unshown_banners"), parameters)
    return [Banner(message_id, content.encode(), expires) for message_id, content, expires in rows if content]
