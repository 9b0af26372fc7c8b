"""The step that makes every telling of one order, and of one refund, one event, whoever tells it and how often."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

import msgspec

from collector.intake.draft import Draft, WarningReason, short_text
from warehouse.event import EventRow
from warehouse.limits import MAX_ID_LENGTH
from warehouse.vocabulary import ORDER_EVENTS

#: What broken templates and scripts write where an order id should stand: no order has such an id.
_NO_ORDER: Final = frozenset(
    {
        "0",
        "-1",
        "null",
        "undefined",
        "none",
        "nil",
        "nan",
        "false",
        "true",
        "(not set)",
        "n/a",
        "unknown",
        "[object object]",
    }
)
#: Marks around a placeholder that nobody filled in, such as `{{ order.id }}` and `%ORDER_ID%`.
_UNFILLED: Final = re.compile(r"\{\{.*\}\}|\{%.*%\}|\$\{.*\}|<%.*%>|%%?\w+%%?|\[\[.*\]\]|\{\w+\}")
#: Shopify names one order by a number, and by an address that ends with the number.
_SHOPIFY: Final = re.compile(r"gid://shopify/\w+/(\d+)(?:\?.*)?")
_NO_ID_REMEDY: Final = "give order_id (GA4: transaction_id), or the event counts again each time that it is told"
_WHOLE_REMEDY: Final = (
    "the refund names items but no value: it counts as the whole order; give value, or price of each item"
)


def identify_order(draft: Draft) -> None:
    """Name a purchase or refund by its order, so that whoever tells it again tells of the same event.

    Without an id of its order an event stays what its messageId says, with a warning.
    """
    columns = draft.columns
    event = columns["event"]
    if event not in ORDER_EVENTS:
        return
    order_id = normal_order_id(columns["order_id"]) if "order_id" in columns else ""
    if not order_id:
        # What stands for no id is not to make one order of all that have it.
        columns.pop("order_id", None)
        draft.warn(WarningReason.ORDER_WITHOUT_ID, _NO_ID_REMEDY)
        return
    columns["order_id"] = order_id
    draft.told_as = columns["event_id"]
    columns["event_id"] = _bounded(
        _purchase_id(draft, order_id) if event == "purchase" else _refund_id(draft, order_id)
    )


def is_named_by_order(row: EventRow) -> bool:
    """Tell whether an event's id is that of its order, so that another event of the same id is the same one."""
    return row.event in ORDER_EVENTS and bool(row.order_id) and row.event_id.startswith(f"{row.event}:")


def normal_order_id(value: object) -> str:
    """Return the id of an order as text, the same for each way of writing it; '' for what is none.

    `#1001` is `1001`, and Shopify's `gid://shopify/Order/450789469` is `450789469`; case and leading zeros stay.
    """
    order_id = short_text(value)
    if not order_id.isalnum():
        order_id = order_id.lstrip("#").strip()
        if found := _SHOPIFY.fullmatch(order_id):
            order_id = found[1]
        if _UNFILLED.fullmatch(order_id):
            return ""
    return "" if order_id.lower().strip("\"'") in _NO_ORDER else order_id


def _purchase_id(draft: Draft, order_id: str) -> str:
    """Return the id of a purchase; one that is told without its value is not to keep the value from being known."""
    return f"purchase:{order_id}" if draft.columns.get("value") is not None else f"purchase:{order_id}:unvalued"


def _refund_id(draft: Draft, order_id: str) -> str:
    """Return the id of a refund: by its own id, else its amount, else what came back; else it is the whole order."""
    refund_id = normal_order_id(draft.props.get("refund_id"))
    if refund_id:
        draft.props = {**draft.props, "refund_id": refund_id}
        return f"refund:{order_id}:id={refund_id}"
    value = draft.columns.get("value")
    if value is not None:
        return f"refund:{order_id}:value={abs(value):.10g}"
    returned = _returned(draft.props.get("items"))
    if returned:
        draft.warn(WarningReason.REFUND_WITHOUT_VALUE, _WHOLE_REMEDY)
        return f"refund:{order_id}:items={returned}"
    return f"refund:{order_id}:whole"


def _returned(items: object) -> str:
    """Return a text that says which products came back, and how many; '' for none."""
    entries: list[Any] = items if isinstance(items, list) else []
    found = sorted(
        f"{short_text(item.get('product_id'))} {short_text(item.get('quantity'))}"
        for item in entries
        if isinstance(item, dict) and item.get("product_id")
    )
    return hashlib.sha256(msgspec.json.encode(found)).hexdigest()[:16] if found else ""


def _bounded(event_id: str) -> str:
    if len(event_id) <= MAX_ID_LENGTH:
        return event_id
    kind = event_id.split(":", 1)[0]
    return f"{kind}:sha256={hashlib.sha256(event_id.encode()).hexdigest()}"
