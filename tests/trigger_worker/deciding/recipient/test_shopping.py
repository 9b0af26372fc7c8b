"""The products that a visitor looked at."""

from __future__ import annotations

from typing import Any

from tests.trigger_worker.rules.evaluate.support import NOON
from trigger_worker.deciding.recipient.shopping import recently_viewed
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.store.products import Product


def look(second: int, event: str = "view_item", **fields: Any) -> Event:
    return Event(event, NOON + second * 1000, f"e{second}", fields)


def test_each_product_counts_once_by_its_latest_look() -> None:
    events = [
        look(1, product_id="tent", name="Old tent", price=9),
        look(2, product_id="lamp", name="Lamp"),
        look(3, product_id="tent", name="Tent", price=8, image="/t.svg"),
        look(4, "hover", product_id="mat"),
        look(5, name="of no product"),
    ]
    assert recently_viewed(events) == (
        Product(product_id="tent", name="Tent", price=8.0, image="/t.svg"),
        Product(product_id="lamp", name="Lamp"),
    )


def test_no_more_are_kept_than_anybody_shows() -> None:
    events = [look(number, product_id=f"p{number}") for number in range(40)]
    seen = recently_viewed(events)
    assert (len(seen), seen[0].product_id) == (24, "p39")
