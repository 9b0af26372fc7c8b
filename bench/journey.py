"""Baskets of the completejourney data as a shop's events."""

from __future__ import annotations

import csv
import gzip
import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

#: How long a household looks at one product before the next.
_PACE: Final = timedelta(seconds=20)


def write_events(transactions: Path, target: Path, limit: int) -> None:
    """Write events, one a line, as `micromoment import` reads them.

    Args:
        transactions: completejourney_transactions.csv.gz.
        target: the file to write.
        limit: how many.
    """
    with gzip.open(transactions, "rt", encoding="utf-8") as source, target.open("wb") as lines:
        for number, event in enumerate(itertools.islice(_events(csv.DictReader(source)), limit)):
            lines.write(msgspec.json.encode({"messageId": f"journey-{number}", **event}) + b"\n")


def _events(rows: Iterator[dict[str, str]]) -> Iterator[dict[str, Any]]:
    for basket_id, lines in itertools.groupby(rows, key=lambda row: row["basket_id"]):
        yield from _visit(basket_id, list(lines))


def _visit(basket_id: str, lines: list[dict[str, str]]) -> Iterator[dict[str, Any]]:
    """Yield a visit: it starts, each product is looked at and put into the cart, and the cart is bought."""
    visitor = f"household-{lines[0]['household_id']}"
    moment = datetime.fromisoformat(lines[0]["transaction_timestamp"])
    yield _event("session_start", visitor, moment, {})
    total = 0.0
    for line in lines:
        value, quantity = float(line["sales_value"]), float(line["quantity"])
        product = {"product_id": line["product_id"], "price": value / (quantity or 1.0)}
        yield _event("view_item", visitor, moment + _PACE / 2, product)
        moment += _PACE
        yield _event("add_to_cart", visitor, moment, {**product, "quantity": quantity, "value": value})
        total += value
    order = {"order_id": basket_id, "value": round(total, 2)}
    yield _event("purchase", visitor, moment + _PACE, order)


def _event(name: str, visitor: str, moment: datetime, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "track",
        "event": name,
        "anonymousId": visitor,
        "timestamp": f"{moment.isoformat(timespec='milliseconds')}Z",
        "properties": properties,
    }
