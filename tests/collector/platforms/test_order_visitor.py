"""Whose an order is, on each engine."""

from __future__ import annotations

from collector.platforms.order_visitor import visitor_of_order
from collector.platforms.platform import Who
from tests.trigger_worker.stored import NOON, event_row, store
from warehouse.connection import Warehouse


def test_an_order_is_whose_the_shop_says_and_else_of_who_told_first(warehouse: Warehouse) -> None:
    store(
        warehouse,
        event_row("purchase", "late", NOON + 2, order_id="1"),
        event_row("purchase", "first", NOON, order_id="1"),
        event_row("purchase", "a-page", NOON, order_id="2"),
        event_row("purchase", "browser", NOON + 5, user="u-7", order_id="2", proven_by="server"),
        event_row("purchase", "a-page", NOON, order_id="3"),
        event_row("purchase", "imported", NOON + 5, order_id="3", source="import"),
        event_row("purchase", "elsewhere", NOON, site="other", order_id="4"),
        event_row("view_item", "first", NOON, order_id="5"),
    )
    found = {order_id: visitor_of_order(warehouse, "shop", order_id) for order_id in "12345"}
    assert found == {
        "1": Who("first", agreed=True),
        "2": Who("browser", "u-7", agreed=True),
        "3": Who("imported", agreed=True),
        "4": Who(),
        "5": Who(),
    }
