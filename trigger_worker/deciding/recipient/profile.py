"""Build the profile of a person from their events: traits, permission, cart, latest order, subscriptions."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from trigger_worker.deciding.recipient.permission import PERMISSION_LOOKBACK_MS, Permission, PermissionReading
from trigger_worker.deciding.recipient.push_subscription import PushSubscription, live_subscriptions
from trigger_worker.deciding.recipient.shopping import CartContext, Purchasing, cart_of, recently_viewed, text_of
from trigger_worker.rules.evaluate.cart import CART_SELECTOR, cart_pieces, cart_value
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.history import History, Moment
from trigger_worker.rules.evaluate.selector import Selector
from trigger_worker.rules.language.duration import DAY_MS
from trigger_worker.rules.language.names import TRAITS_ONCE
from trigger_worker.store.products import Product
from trigger_worker.store.windows import Wanted, combine
from warehouse.addresses import email_address, normalised

_RECENT_MS: Final = 30 * DAY_MS
_EVER_MS: Final = 400 * DAY_MS
#: What was viewed longer ago is no longer on anybody's mind.
_VIEWED_MS: Final = 7 * DAY_MS

#: Latest views in which viewed products are looked for: a decision about somebody costs no look at all of their past.
_MOST_VIEWS: Final = 1_000
_TOLD: Final = Selector("what a person told", frozenset({*PERMISSION_LOOKBACK_MS, "identify", "unsubscribed"}))
_PUSH: Final = Selector("subscriptions to push", frozenset({"push_subscribed", "push_unsubscribed"}))
_VIEWS: Final = Selector("view_item", frozenset({"view_item"}))

#: The part of a person's history that a profile is built from.
PROFILE_WANTED: Final = combine(
    [
        Wanted(
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
    ]
)


class VisitorContext(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The fields of `visitor` in a template; `id` is the person's, `traits` are those of `identify`."""

    id: str
    first_name: str = ""
    email: str = ""
    locale: str = ""
    timezone: str = ""
    traits: Mapping[str, object] = {}


class Profile(msgspec.Struct, frozen=True):
    """The facts of a person at an instant.

    Args:
        visitor: name, addresses and traits.
        permission: what may be sent, and the addresses that must not be written to.
        cart: the cart.
        order: fields of the latest purchase.
        unsubscribed_at: when the person last left a channel, epoch ms; None when they never did.
        push: the push subscriptions of the person's browsers, the latest first.
        recently_viewed: viewed products, the latest first.
        proven: addresses, normalised, that somebody vouched for when the person told them.
    """

    visitor: VisitorContext
    permission: Permission
    cart: CartContext
    order: Mapping[str, Any]
    unsubscribed_at: int | None = None
    push: tuple[PushSubscription, ...] = ()
    recently_viewed: tuple[Product, ...] = ()
    proven: frozenset[str] = frozenset()


def build_profile(visitor_id: str, history: History, at: int) -> Profile:
    """Return the profile of a person at an instant.

    Args:
        visitor_id: the person's id.
        history: the person's, at least `PROFILE_WANTED`.
        at: epoch ms.

    Cost: the events of which it is made, however many others the person caused.
    """
    changes = history.select(CART_SELECTOR)
    purchasing = history.derived("cart and order", lambda _: Purchasing(changes.events))
    lines, order = purchasing.of(*changes.span(at, _RECENT_MS))
    moment = Moment(history, at)
    # What rules ask as `cart.value` and `cart.items`, so that a message says what made its rule fire.
    cart = cart_of(lines, worth=cart_value(moment), pieces=cart_pieces(moment), foreign=purchasing.foreign)
    answers = history.select(_TOLD)
    told = history.derived("what the person told", lambda _: _Told(answers.events))
    told.read_to(bisect_right(answers.times, at))
    return Profile(
        visitor=_visitor(visitor_id, told.traits, history, at),
        permission=told.permission.permission(),
        cart=cart,
        order=order,
        unsubscribed_at=told.unsubscribed_at,
        push=live_subscriptions(history.within(_PUSH, 0, at)),
        recently_viewed=recently_viewed(history.within(_VIEWS, at - _VIEWED_MS + 1, at)[-_MOST_VIEWS:]),
        proven=told.proven,
    )


class _Told:
    """What a person told in the first of some events, of which there are ever more: then only what is new is read.

    Args:
        events: in order, in a list that may grow.
    """

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = events
        self._forget()

    def _forget(self) -> None:
        self._end = 0
        # Replaced by others rather than changed: profiles have them.
        self.traits: dict[str, Any] = {}
        self.proven: frozenset[str] = frozenset()
        self.permission = PermissionReading()
        self.unsubscribed_at: int | None = None

    def read_to(self, end: int) -> None:
        """Know what `events[:end]` tell, and nothing of those after them."""
        if end < self._end:
            self._forget()
        for event in self._events[self._end : end]:
            self.permission.take(event)
            if event.name == "unsubscribed":
                self.unsubscribed_at = event.ts
            elif event.name == "identify":
                self._identify(event)
        self._end = end

    def _identify(self, event: Event) -> None:
        traits, once = event.fields.get("traits"), event.fields.get(TRAITS_ONCE)
        if isinstance(once, dict):
            self.traits = {**once, **self.traits}
        if isinstance(traits, dict):
            # What is told as nothing is taken away.
            told = {**self.traits, **traits}
            self.traits = {name: value for name, value in told.items() if value is not None and value != ""}
            if event.fields.get("proven_by"):
                self.proven |= _addresses(traits)


def _addresses(traits: Mapping[str, Any]) -> frozenset[str]:
    """Return the addresses, normalised, that traits name.

    Somebody vouched for them: the ledger has them a moment later, for everybody.
    """
    named = (traits.get(name) for name in ("email", "phone"))
    return frozenset(normalised(address) for address in named if isinstance(address, str) and address)


def _visitor(visitor_id: str, traits: Mapping[str, Any], history: History, at: int) -> VisitorContext:
    return VisitorContext(
        id=visitor_id,
        first_name=text_of(traits.get("first_name")) or text_of(traits.get("firstName")),
        email=email_address(traits.get("email")),
        locale=str(history.context("locale").at(at) or ""),
        timezone=str(history.context("timezone").at(at) or ""),
        traits=traits,
    )
