"""The step that spells products and orders one way, whether they came in GA4's words, Segment's or ours."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, Final

from collector.intake.draft import Draft
from warehouse.limits import MAX_ITEMS

#: Other names of an event's own fields; ours wins when both are there.
_FIELD_SPELLINGS: Final = {
    "transaction_id": "order_id",
    "query": "search_term",
    "item_list": "list",
    "products": "items",
    "sku": "product_id",
    "item_id": "product_id",
    "item_name": "name",
    "item_category": "category",
    "position": "index",
}
_ITEM_SPELLINGS: Final = {
    "item_id": "product_id",
    "sku": "product_id",
    "id": "product_id",
    "item_name": "name",
    "title": "name",
    "item_category": "category",
    "item_brand": "brand",
    "item_variant": "variant",
    "image_url": "image",
}
#: Fields of its product that an event about a single product has.
_LIFTED: Final = ("product_id", "name", "category", "price", "quantity")
_TOTALS: Final = ("total", "revenue", "subtotal")


def normalise_commerce(draft: Draft) -> None:
    """Rename fields and items to the vocabulary, and lift the product of a single-item event to the event."""
    props = _renamed(draft.props, _FIELD_SPELLINGS)
    items = _items(props.get("items"))
    if items is not None:
        props = {**props, "items": items}
    if items and len(items) == 1:
        props = {**{name: items[0][name] for name in _LIFTED if name in items[0]}, **props}
    if draft.message.event and draft.message.event != draft.columns["event"]:
        props = _with_segment_value(props)
    draft.props = props


def _renamed(fields: dict[str, Any], spellings: Mapping[str, str]) -> dict[str, Any]:
    """Return fields under our names: the same object when nothing has another name."""
    if spellings.keys().isdisjoint(fields):
        return fields
    renamed = dict(fields)
    for other, ours in spellings.items():
        if other in renamed and ours not in renamed:
            renamed[ours] = renamed.pop(other)
    return renamed


def _items(value: object) -> list[dict[str, Any]] | None:
    if not isinstance(value, list):
        return None
    return [_renamed(item, _ITEM_SPELLINGS) for item in value[:MAX_ITEMS] if isinstance(item, dict)]


def _with_segment_value(props: dict[str, Any]) -> dict[str, Any]:
    """Fill `value` as Segment's ecommerce specification implies it: an order's total, or price times quantity."""
    if "value" in props:
        return props
    for name in _TOTALS:
        if name in props:
            return {**props, "value": props[name]}
    price, quantity = props.get("price"), props.get("quantity", 1)
    if isinstance(price, (int, float)) and isinstance(quantity, (int, float)):
        # A whole number may have more digits than a float takes; the event is refused for it by a later step.
        with contextlib.suppress(OverflowError):
            return {**props, "value": float(price) * quantity if isinstance(quantity, float) else price * quantity}
    return props
