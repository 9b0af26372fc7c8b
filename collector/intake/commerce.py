"""The step that spells products and orders one way, whether they came in GA4's words, Segment's or ours.

It looks at events of the commerce vocabulary alone: a custom event keeps the names that its shop gave.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.intake.draft import Draft, WarningReason, text
from warehouse.amounts import currency_of, finite_sum, pieces_of, read_number, worth_of
from warehouse.limits import MAX_ITEMS
from warehouse.vocabulary import EVENT_GROUPS

_COMMERCE: Final = frozenset({*EVENT_GROUPS["commerce"], "share"})
#: Events whose value follows from their products where it is not given.
_VALUED: Final = frozenset(EVENT_GROUPS["commerce"]) - {
    *("view_item_list", "select_item", "search", "view_promotion", "select_promotion"),
}
#: Names that Google's earlier enhanced ecommerce gives to events whose products lie in `ecommerce`.
_EARLIER_NAMES: Final = {
    "productClick": "select_item",
    "productDetail": "view_item",
    "productImpressions": "view_item_list",
    "checkout": "begin_checkout",
    "transaction": "purchase",
}
#: The parts of such an `ecommerce`, one of which holds the products.
_EARLIER_PARTS: Final = ("add", "remove", "detail", "click", "checkout", "purchase", "refund", "impressions")

#: Other names of an event's own fields; ours wins when both are there.
_FIELD_SPELLINGS: Final = {
    "transaction_id": "order_id",
    "transactionId": "order_id",
    "orderId": "order_id",
    "orderID": "order_id",
    "order_number": "order_id",
    "orderNumber": "order_id",
    "query": "search_term",
    "item_list": "list",
    "products": "items",
    "sku": "product_id",
    "item_id": "product_id",
    "productId": "product_id",
    "item_name": "name",
    "item_category": "category",
    "item_brand": "brand",
    "item_variant": "variant",
    "image_url": "image",
    "currencyCode": "currency",
    "position": "index",
}
_ITEM_SPELLINGS: Final = {
    "item_id": "product_id",
    "sku": "product_id",
    "productId": "product_id",
    "id": "product_id",
    "item_name": "name",
    "title": "name",
    "item_category": "category",
    "item_brand": "brand",
    "item_variant": "variant",
    "image_url": "image",
}
#: By event, Segment's words for what GA4 has others for.
_OF_EVENT: Final[Mapping[str, Mapping[str, str]]] = {
    "share": {"share_via": "method"},
    "add_shipping_info": {"shipping_method": "shipping_tier"},
    "add_payment_info": {"payment_method": "payment_type", "shipping_method": "shipping_tier"},
}
#: By event, what its own `id` is of: of one product, or of an order.
_ID_OF: Final = {
    **dict.fromkeys(("view_item", "select_item", "add_to_cart", "remove_from_cart", "add_to_wishlist"), "product_id"),
    **dict.fromkeys(("purchase", "refund"), "order_id"),
}
#: Fields of its product that an event about a single product has.
_LIFTED: Final = (
    *("product_id", "name", "category", "price", "quantity", "currency"),
    *("image", "availability", "in_stock"),
)
_TOTALS: Final = ("total", "revenue", "subtotal")
_AMOUNTS: Final = ("price", "quantity", "value")
_REMEDY: Final = "send numbers, or text such as 1299.00"


def normalise_commerce(draft: Draft) -> None:
    """Rename fields and items to the vocabulary, lift the product of a single-item event, and find what it is worth."""
    event, props = draft.columns["event"], draft.props
    if "ecommerce" in props and isinstance(props["ecommerce"], dict):
        event = draft.columns["event"] = _EARLIER_NAMES.get(event, event)
        if event in _COMMERCE:
            props = _unpacked(props)
    if event not in _COMMERCE:
        return
    props = _renamed(props, _FIELD_SPELLINGS)
    if event in _OF_EVENT:
        props = _renamed(props, _OF_EVENT[event])
    if "id" in props:
        props = _with_id(props, event)
    unread: list[str] = []
    items = _items(props.get("items"), unread)
    if items is not None:
        props = {**props, "items": items}
    props = _with_numbers(props, "", unread)
    if items and len(items) == 1:
        props = {**{name: items[0][name] for name in _LIFTED if name in items[0]}, **props}
    draft.props = _with_value(props, event) if event in _VALUED else props
    if unread:
        places = ", ".join(dict.fromkeys(unread))
        draft.warn(WarningReason.NUMBER_UNREADABLE, f"counted as missing: {places}: {_REMEDY}")


def _with_id(props: dict[str, Any], event: str) -> dict[str, Any]:
    """Return properties whose own `id` says of what it is: of the order, or of the one product."""
    name = _ID_OF.get(event)
    is_ambiguous = name == "product_id" and "items" in props
    return props if name is None or is_ambiguous else _renamed(props, {"id": name})


def _unpacked(props: Mapping[str, Any]) -> dict[str, Any]:
    """Return properties with the fields of their `ecommerce`, in either form of Google's; their own win."""
    found: dict[str, Any] = dict(props["ecommerce"])
    for name in _EARLIER_PARTS:
        part = found.get(name)
        if isinstance(part, list):
            found = {**found, "items": part}
        elif isinstance(part, dict):
            action = part.get("actionField")
            found |= action if isinstance(action, dict) else {}
            found |= {"items": part["products"]} if "products" in part else {}
        else:
            continue
        del found[name]
    return {**found, **{name: value for name, value in props.items() if name != "ecommerce"}}


def _renamed(fields: dict[str, Any], spellings: Mapping[str, str]) -> dict[str, Any]:
    """Return fields under our names: the same object when nothing has another name."""
    if spellings.keys().isdisjoint(fields):
        return fields
    renamed = dict(fields)
    for other, ours in spellings.items():
        if other in renamed and ours not in renamed:
            renamed[ours] = renamed.pop(other)
    return renamed


def _items(value: object, unread: list[str]) -> list[dict[str, Any]] | None:
    if not isinstance(value, list):
        return None
    return [_item(item, unread) for item in value[:MAX_ITEMS] if isinstance(item, dict)]


def _item(item: dict[str, Any], unread: list[str]) -> dict[str, Any]:
    found = _with_numbers(_renamed(item, _ITEM_SPELLINGS), "items.", unread)
    product_id = found.get("product_id")
    # As the event's own column has it: text, in which no digit is lost.
    if product_id is not None and type(product_id) is not str and text(product_id):
        found = {**found, "product_id": text(product_id)}
    return found


def _with_numbers(fields: dict[str, Any], place: str, unread: list[str]) -> dict[str, Any]:
    """Return fields whose amounts are numbers as far as they can be read; others stay as they came, and are told."""
    for name in _AMOUNTS:
        value = fields.get(name)
        if value is None or type(value) is float or type(value) is int or value == "":
            continue
        number = read_number(value.get("amount") if isinstance(value, dict) else value)
        if number is None:
            unread.append(f"{place}{name}")
            continue
        fields = {**fields, name: number}
        if name != "quantity" and not fields.get("currency") and (currency := currency_of(value)):
            fields["currency"] = currency
    return fields


def _with_value(props: dict[str, Any], event: str) -> dict[str, Any]:
    """Fill what an event is worth where that is not given: its total, the sum of its items, or price times quantity."""
    if event == "remove_from_cart":
        props = _as_removed(props)
    items = props.get("items")
    if isinstance(items, list) and len(items) > 1 and event in {"add_to_cart", "remove_from_cart"}:
        props = {"quantity": finite_sum([pieces_of(item) for item in items]), **props}
    given = props.get("value")
    # What is neither readable nor text is no amount at all, and refused by a later step where nobody can use it.
    if read_number(given) is not None or not (given is None or isinstance(given, str | bool)):
        return props
    totals = (read_number(props[name]) for name in _TOTALS if name in props)
    value = next((total for total in totals if total is not None), None)
    value = worth_of(props) if value is None and _is_of_one_currency(props) else value
    return props if value is None else {**props, "value": value}


def _is_of_one_currency(props: Mapping[str, Any]) -> bool:
    """Tell whether the prices of an event may be added up."""
    items = props.get("items")
    stated = [props, *items] if isinstance(items, list) else [props]
    return len({text(each["currency"]).upper() for each in stated if each.get("currency")}) <= 1


def _as_removed(props: dict[str, Any]) -> dict[str, Any]:
    """Return what was removed with amounts that say how much: some shops tell less than nothing."""
    items = props.get("items")
    if isinstance(items, list):
        props = {**props, "items": [_without_sign(item) for item in items]}
    return _without_sign(props)


def _without_sign(fields: dict[str, Any]) -> dict[str, Any]:
    signed = {name: -fields[name] for name in ("quantity", "value") if _is_negative(fields.get(name))}
    return {**fields, **signed} if signed else fields


def _is_negative(value: object) -> bool:
    return type(value) in (int, float) and value < 0  # type: ignore[operator]
