"""A visitor as messages see them: traits, permission, cart and latest order, from their events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from trigger_worker.deciding.recipient.permission import PERMISSION_LOOKBACK_MS, Permission, build_permission
from trigger_worker.deciding.recipient.product import Product, recently_viewed
from trigger_worker.deciding.recipient.push_subscription import PushSubscription, live_subscriptions
from trigger_worker.delivery.content.context import CartContext, CartItem, VisitorContext
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.history import History
from trigger_worker.rules.language.duration import DAY_MS
from trigger_worker.store.windows import Wanted

_RECENT_MS: Final = 30 * DAY_MS
_EVER_MS: Final = 400 * DAY_MS
#: What was looked at longer ago is no longer on anybody's mind.
_VIEWED_MS: Final = 7 * DAY_MS
_EMAIL_LENGTH: Final = 254  # RFC 5321

#: What a profile is made from.
PROFILE_WANTED: Final = Wanted(
    {
        **PERMISSION_LOOKBACK_MS,
        "push_subscribed": _EVER_MS,
        "push_unsubscribed": _EVER_MS,
        "add_to_cart": _RECENT_MS,
        "remove_from_cart": _RECENT_MS,
        "purchase": _RECENT_MS,
        "view_item": _VIEWED_MS,
    },
    # Naming one that lives in `props` reads all of those: traits, answers, items. Of the columns these matter.
    fields=frozenset({"props", *("product_id", "name", "category", "price", "quantity", "value", "currency")})
    | {"order_id", "coupon", "message_id", "url"},
    contexts=frozenset({"timezone", "locale"}),
)


class Profile(msgspec.Struct, frozen=True):
    """What is known about a visitor at an instant.

    Args:
        permission: what may be sent to them, and where.
        order: fields of the latest purchase.
        unsubscribed_at: when they last left a channel, epoch milliseconds; None when they never did.
        recently_viewed: products that were looked at, the latest first.
        push: where the person's browsers get notifications, the latest first.
    """

    visitor: VisitorContext
    permission: Permission
    cart: CartContext
    order: Mapping[str, Any]
    unsubscribed_at: int | None = None
    push: tuple[PushSubscription, ...] = ()
    recently_viewed: tuple[Product, ...] = ()


def build_profile(visitor_id: str, history: History, at: int) -> Profile:
    """Return the profile of a visitor.

    Args:
        history: holds at least `PROFILE_WANTED`.
        at: epoch milliseconds.
    """
    events = [event for event in history.events if event.ts <= at]
    traits = _merged(event.fields.get("traits") for event in events if event.name == "identify")
    recent = [event for event in events if event.ts > at - _RECENT_MS]
    purchases = [event for event in recent if event.name == "purchase"]
    visitor = VisitorContext(
        id=visitor_id,
        first_name=_text(traits.get("first_name")) or _text(traits.get("firstName")),
        email=_email(traits.get("email")),
        locale=str(history.context("locale").at(at) or ""),
        timezone=str(history.context("timezone").at(at) or ""),
        traits=traits,
    )
    return Profile(
        visitor=visitor,
        permission=build_permission(events),
        cart=_cart(recent),
        order=purchases[-1].fields if purchases else {},
        unsubscribed_at=max((event.ts for event in events if event.name == "unsubscribed"), default=None),
        push=live_subscriptions(events),
        recently_viewed=recently_viewed(events),
    )


def _merged(objects: Iterable[object]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for item in objects:
        if isinstance(item, dict):
            merged |= item
    return merged


def _email(value: object) -> str:
    """Return an address fit to send to, or ''; what a page says is not trusted to be one."""
    text = value.strip() if isinstance(value, str) else ""
    local, _, domain = text.rpartition("@")
    plain = text.isascii() and text.isprintable() and not any(character in text for character in ' ,;<>"()[]\\')
    return text if local and "@" not in local and "." in domain and plain and len(text) <= _EMAIL_LENGTH else ""


def _cart(events: Sequence[Event]) -> CartContext:
    """Return what is in the cart: added less removed since the latest purchase, in the order of the first adding."""
    lines: dict[str, CartItem] = {}
    emptied = next((rank for rank in range(len(events), 0, -1) if events[rank - 1].name == "purchase"), 0)
    for event in events[emptied:]:
        if event.name in {"add_to_cart", "remove_from_cart"}:
            sign = 1 if event.name == "add_to_cart" else -1
            for item in _items(event):
                _move(lines, item, sign)
    items = tuple(line for line in lines.values() if line.quantity > 0)
    return CartContext(
        value=sum(line.value or 0.0 for line in items),
        quantity=sum(line.quantity for line in items),
        currency=next((line.currency for line in items if line.currency), ""),
        items=items,
    )


def _items(event: Event) -> list[dict[str, Any]]:
    items = event.fields.get("items")
    found = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    shared = {"currency": event.fields.get("currency")}
    return [{**shared, **item} for item in found] or [dict(event.fields)]


def _move(lines: dict[str, CartItem], item: Mapping[str, Any], sign: int) -> None:
    product_id = str(item.get("product_id") or "")
    if not product_id:
        return
    known = lines.get(product_id)
    moved = _number(item.get("quantity"))
    quantity = (known.quantity if known else 0) + sign * (1 if moved is None else moved)
    price = _number(item.get("price"))
    if price is None and known:
        price = known.price
    texts = {name: _text(item.get(name)) for name in ("name", "category", "currency", "image", "url")}
    if known:
        texts = {name: text or getattr(known, name) for name, text in texts.items()}
    lines[product_id] = CartItem(
        product_id=product_id,
        quantity=max(0, quantity),
        price=price,
        value=None if price is None else price * max(0, quantity),
        **texts,
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
