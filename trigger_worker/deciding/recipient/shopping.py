"""Build the cart and the viewed products of a person from the person's events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any, Final

import msgspec

from trigger_worker.rules.evaluate.cart import product_id_of
from trigger_worker.rules.evaluate.event import Event, Value
from trigger_worker.store.products import Product
from warehouse.amounts import pieces_of, read_number

#: Most viewed products that are kept: more than anybody shows, as some are in the cart or sold out.
_MOST_VIEWED: Final = 24
#: The facts of a product that are texts.
_TEXTS: Final = ("name", "category", "currency", "image", "url")


class CartItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of `cart.items` in a template; `value` is that of the whole line."""

    product_id: str
    quantity: float
    name: str = ""
    category: str = ""
    price: float | None = None
    value: float | None = None
    currency: str = ""
    image: str = ""
    url: str = ""


class CartContext(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of `cart` in a template: its worth in the currency of its first line, the pieces, and its lines."""

    value: float = 0.0
    quantity: float = 0
    currency: str = ""
    items: tuple[CartItem, ...] = ()


class Purchasing:
    """The cart and the latest order over a slice of events, which mostly grows: then only what is new is looked at.

    Args:
        events: the person's events, in order, in a list that may grow; of cart and purchase, others are passed over.

    Attributes:
        foreign: the foreign currencies of what was added or removed since the latest purchase.
    """

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = events
        self._first = self._end = 0
        self._lines: dict[str, CartItem] = {}
        self._order: Mapping[str, Any] = {}
        self.foreign: set[str] = set()

    def of(self, first: int, end: int) -> tuple[tuple[CartItem, ...], Mapping[str, Any]]:
        """Return the lines of the cart after `events[first:end]`, and the fields of the latest purchase among them.

        The cart is products added less products removed since that purchase, in the order of adding.
        """
        if first != self._first or end < self._end:
            self._first = self._end = first
            self._lines, self._order, self.foreign = {}, {}, set()
        for event in self._events[self._end : end]:
            self._take(event)
        self._end = end
        return tuple(line for line in self._lines.values() if line.quantity > 0), self._order

    def _take(self, event: Event) -> None:
        if event.name == "purchase":
            self._lines, self._order, self.foreign = {}, event.fields, set()
        elif event.name in {"add_to_cart", "remove_from_cart"}:
            sign = 1 if event.name == "add_to_cart" else -1
            if event.fields.get("foreign_currency"):
                self.foreign.add(event.fields["foreign_currency"])
            for item in _items(event):
                _move(self._lines, item, sign)


def cart_of(lines: Sequence[CartItem], *, worth: Value, pieces: Value, foreign: Set[str] = frozenset()) -> CartContext:
    """Return the cart of some lines.

    Args:
        lines: of the products in it.
        worth, pieces: of all of it; amounts in a foreign currency are not in the worth.
        foreign: the foreign currencies among its lines. A cart of nothing else is worth what those of the first are.
    """
    value, quantity = (amount if type(amount) is float else 0.0 for amount in (worth, pieces))
    at_home = [line.currency for line in lines if line.currency and line.currency not in foreign]
    currency = next(iter(at_home), "") or next((line.currency for line in lines if line.currency), "")
    if currency in foreign:
        value = sum(line.value or 0.0 for line in lines if line.currency == currency)
    return CartContext(value=value, quantity=quantity, currency=currency, items=tuple(lines))


def recently_viewed(events: Sequence[Event]) -> tuple[Product, ...]:
    """Return the products of `view_item` events, the latest first, each once, as its latest event describes it.

    Args:
        events: the person's events, in order; other events are passed over.
    """
    found: dict[str, Product] = {}
    for event in reversed(events):
        product_id = event.fields.get("product_id")
        if event.name == "view_item" and isinstance(product_id, str) and product_id not in found:
            found[product_id] = _product(product_id, event.fields)
            if len(found) == _MOST_VIEWED:
                break
    return tuple(found.values())


def text_of(value: object) -> str:
    """Return a value that is a text, and '' for any other: a page may send anything."""
    return value if isinstance(value, str) else ""


def _items(event: Event) -> list[dict[str, Any]]:
    items = event.fields.get("items")
    found = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    shared = {"currency": event.fields.get("currency")}
    return [{**shared, **item} for item in found] or [dict(event.fields)]


def _move(lines: dict[str, CartItem], item: Mapping[str, Any], sign: int) -> None:
    """Add a product to the lines of a cart, or remove it."""
    product_id = product_id_of(item)
    if not product_id:
        return
    known = lines.get(product_id)
    pieces = pieces_of(item)
    quantity = (known.quantity if known else 0) + (pieces if sign > 0 else -abs(pieces))
    price = read_number(item.get("price"))
    if price is None and known:
        price = known.price
    texts = _texts(item)
    if known:
        texts = {name: text or getattr(known, name) for name, text in texts.items()}
    lines[product_id] = CartItem(
        product_id=product_id,
        quantity=max(0, quantity),
        price=price,
        value=None if price is None else price * max(0, quantity),
        **texts,
    )


def _product(product_id: str, fields: Mapping[str, Any]) -> Product:
    return Product(product_id=product_id, price=read_number(fields.get("price")), **_texts(fields))


def _texts(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: text_of(fields.get(name)) for name in _TEXTS}
