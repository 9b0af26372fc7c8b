"""Define an event as rules see it, and read the values and the splits of its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Final

import msgspec

from warehouse.amounts import LARGEST_EXACT
from warehouse.vocabulary import CONTEXT_COLUMNS

#: A text, a number or a boolean; None when it is missing. Durations are numbers of ms.
Value = str | float | bool | None

#: An event that was received so much later than it happened, ms, is late.
LATE_MS: Final = 5_000
#: `Event.late_ms` of an event of which it is not known when it happened: it has the time of its receipt, counts as
#: history, and completes no pattern.
UNTIMED: Final = -1
#: The key of rules that is also read of each entry of `items`.
ITEM_KEY: Final = ("product_id",)


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event of a visitor.

    Args:
        name: the name, such as `add_to_cart`.
        ts: the instant of the event, epoch ms.
        event_id: unique per event; orders events of the same ms.
        fields: the fields that the event has: columns and properties by name, `items` as a list of objects with a
            `product_id`, and for identify events `traits` as an object.
        late_ms: how long after its instant it was received, ms, if it was late; else 0. What was imported is not late.
            `UNTIMED` where it is not known when it happened.
        hidden: columns about the visitor, such as `country`, of which the event has properties of its own; they are in
            `fields` under these names, and the columns here. None for none.
    """

    name: str
    ts: int
    event_id: str
    fields: Mapping[str, Any]
    late_ms: int = 0
    hidden: Mapping[str, Any] | None = None


def joined_fields(
    props: Mapping[str, Any], columns: Mapping[str, Any]
) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
    """Return the fields of an event and what they hide, as `Event` holds both.

    Args:
        props: the properties without a column.
        columns: the columns that are set.
    """
    if CONTEXT_COLUMNS.isdisjoint(props):
        return {**props, **columns}, None
    own = {name: props[name] for name in CONTEXT_COLUMNS & props.keys()}
    return {**props, **columns, **own}, {name: columns.get(name) for name in own}


def about_visitor(event: Event, field: str) -> object:
    """Return what an event tells of its visitor by a context field such as `country`, None for nothing."""
    hidden = event.hidden
    return hidden[field] if hidden is not None and field in hidden else event.fields.get(field)


def lateness(ts: int, received_at: int) -> int:
    """Return `Event.late_ms` of an event that was not imported, by its instants (epoch ms)."""
    return received_at - ts if received_at - ts > LATE_MS else 0


def as_value(raw: object) -> Value:
    """Return the value that a raw field stands for; anything that is not a scalar is missing.

    A whole number with more digits than a float holds is an id, and so a text.
    """
    if isinstance(raw, float):
        return raw if isfinite(raw) else None
    if raw is None or isinstance(raw, (str, bool)):
        return raw
    if isinstance(raw, int):
        return float(raw) if -LARGEST_EXACT <= raw <= LARGEST_EXACT else str(raw)
    return None


def as_number(raw: object) -> Value:
    """Return the value of a raw field that is a number by its name, whatever its digits."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        try:
            return float(raw)
        except OverflowError:
            return None
    return as_value(raw)


def read_field(fields: Mapping[str, Any], path: Sequence[str]) -> Value:
    """Return the value at a path through nested objects, missing when any part of the path is missing."""
    found = fields.get(path[0])
    for part in path[1:]:
        if not isinstance(found, dict):
            return None
        found = found.get(part)
    return as_value(found)


def keys_of(fields: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    """Return the splits that an event belongs to, each once.

    Args:
        fields: the fields of the event; an event with `items` belongs to the split of the product of each item.
        path: the path of the key's field.
    """
    own = _key_text(read_field(fields, path))
    items = fields.get("items") if path == ITEM_KEY else None
    if not isinstance(items, list):
        return [own] if own else []
    keys = [own, *(_key_text(read_field(item, path)) for item in items if isinstance(item, dict))]
    return [key for key in dict.fromkeys(keys) if key]


def _key_text(value: Value) -> str:
    """Return a key as firings store it; a missing key is empty, which is no split."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return value
