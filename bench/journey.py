"""Conversion of receipts to the events of a shop."""

from __future__ import annotations

import csv
import gzip
import itertools
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

#: The time that a household looks at one product before the next.
_PACE: Final = timedelta(seconds=20)


class Line(msgspec.Struct, frozen=True):
    """A line of a receipt.

    Args:
        value: the amount paid for all pieces of the line.
    """

    household: str
    basket: str
    at: datetime
    product: str
    quantity: float
    value: float


def read_transactions(path: Path) -> Iterator[Line]:
    """Yield the lines of completejourney_transactions.csv.gz, basket by basket."""
    with gzip.open(path, "rt", encoding="utf-8") as source:
        for row in csv.DictReader(source):
            yield Line(
                household=row["household_id"],
                basket=row["basket_id"],
                at=datetime.fromisoformat(row["transaction_timestamp"]).replace(tzinfo=UTC),
                product=row["product_id"],
                quantity=float(row["quantity"]),
                value=float(row["sales_value"]),
            )


def write_events(lines: Iterable[Line], target: Path, limit: int) -> None:
    """Write the events of receipts to a file, one a line, as `micromoment import` reads them.

    Args:
        lines: the lines of the receipts, basket by basket.
        target: the file to write.
        limit: the most events to write.
    """
    with target.open("wb") as file:
        for number, event in enumerate(itertools.islice(_events(lines), limit)):
            file.write(msgspec.json.encode({"messageId": f"journey-{number}", **event}) + b"\n")


def _events(lines: Iterable[Line]) -> Iterator[dict[str, Any]]:
    for _, basket in itertools.groupby(lines, key=lambda line: line.basket):
        yield from _visit(list(basket))


def _visit(basket: list[Line]) -> Iterator[dict[str, Any]]:
    """Yield the events of a visit: its start, a view of each product and its way into the cart, and the purchase."""
    visitor, moment = f"household-{basket[0].household}", basket[0].at
    yield _event("session_start", visitor, moment, {})
    for line in basket:
        product = {"product_id": line.product, "price": line.value / (line.quantity or 1.0)}
        yield _event("view_item", visitor, moment + _PACE / 2, product)
        moment += _PACE
        yield _event("add_to_cart", visitor, moment, {**product, "quantity": line.quantity, "value": line.value})
    order = {"order_id": basket[0].basket, "value": round(sum(line.value for line in basket), 2)}
    yield _event("purchase", visitor, moment + _PACE, order)


def _event(name: str, visitor: str, moment: datetime, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "track",
        "event": name,
        "anonymousId": visitor,
        "timestamp": moment.isoformat(timespec="milliseconds"),
        "properties": properties,
    }
