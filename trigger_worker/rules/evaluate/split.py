"""The splits of a visitor's events by the field that a rule names as its key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trigger_worker.rules.evaluate.value import Value, read_field

ITEM_KEY: Final = ("product_id",)


def keys_of(fields: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    """Returns the splits that an event is in, in no more than one place each.

    Args:
        fields: of the event; an event with `items` is in the split of each one's product.
        path: the key's field.
    """
    own = _key_text(read_field(fields, path))
    items = fields.get("items") if path == ITEM_KEY else None
    if not isinstance(items, list):
        return [own] if own else []
    keys = [own, *(_key_text(read_field(item, path)) for item in items if isinstance(item, dict))]
    return [key for key in dict.fromkeys(keys) if key]


def _key_text(value: Value) -> str:
    """Returns a key as firings store it; empty, which is in no split, when it is missing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return value
