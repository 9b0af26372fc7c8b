"""Tell which events are of one order, and which of them is the purchase: the one definition of an order told again.

A shop's page tells of an order, and so do its reload, its server, a webhook and an import, at other instants and under
other ids of the person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any

from trigger_worker.rules.evaluate.event import UNTIMED, Event
from warehouse.vocabulary import ORDER_EVENTS

#: Of an event that was sent again, what came first counts.
_ORDER_OF_COPIES = attrgetter("ts", "event_id", "late_ms")


def order_of(event: Event) -> str | None:
    """Return the text that all tellings of one order, or of one refund, share; None of any other event.

    A shop's page tells of an order, and so do its server, a webhook and an import, at other instants and under other
    ids. Whoever tells first, in the order of events, tells of the purchase; what comes after is the order told again.
    """
    return order_told(event.name, event.event_id, event.fields) if event.name in ORDER_EVENTS else None


def telling_place(event: Event) -> tuple[bool, int, str]:
    """Return the place of an event among the tellings of its order, the first of which is the purchase.

    One of which it is not known when it happened comes after all others: it completes no rule.
    """
    return event.late_ms == UNTIMED, event.ts, event.event_id


def order_told(name: str, event_id: str, fields: Mapping[str, Any]) -> str | None:
    """Return what `order_of` does, of an event by its name, its id and its fields."""
    order_id = fields.get("order_id")
    if type(order_id) is not str or not order_id:
        return None
    # A refund's id follows from its order and from what it pays back.
    return {"purchase": f"purchase {order_id}", "refund": f"refund {event_id}"}.get(name)


def in_order(events: Iterable[Event]) -> list[Event]:
    """Return events by `(ts, event_id)`, each id once and of each order the telling that goes before the others."""
    seen: set[str] = set()
    orders: dict[str, Event] = {}
    ordered: list[Event] = []
    for event in sorted(events, key=_ORDER_OF_COPIES):
        order = order_of(event) if event.name in ORDER_EVENTS else None
        known = orders.get(order) if order is not None else None
        if known is not None and telling_place(event) < telling_place(known):
            ordered.remove(known)
        elif known is not None or event.event_id in seen:
            seen.add(event.event_id)
            continue
        seen.add(event.event_id)
        if order is not None:
            orders[order] = event
        ordered.append(event)
    return ordered
