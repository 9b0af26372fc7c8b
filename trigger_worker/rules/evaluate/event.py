"""An event as rules see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event of one visitor.

    Args:
        name: such as `add_to_cart`.
        ts: milliseconds since 1970 in UTC.
        event_id: unique per event; orders events of the same millisecond.
        fields: only what the event has: columns and properties by name, `items` as a list of
            objects with a `product_id`, and for identify events `traits` as an object.
    """

    name: str
    ts: int
    event_id: str
    fields: Mapping[str, Any]
