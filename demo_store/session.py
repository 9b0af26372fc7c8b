"""What the shop remembers of a visit, between two requests."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import Any

import msgspec

from demo_store.account import Account
from demo_store.cart import Cart
from demo_store.checkout import CheckoutProgress
from demo_store.order import Order

#: The visits longest unseen make room for new ones beyond this many.
MAX_SESSIONS = 5_000
#: A session keeps the latest orders only.
MAX_ORDERS = 20

_TOKEN_BYTES = 24


class Flash(msgspec.Struct):
    """What the next page says once: data layer pushes, a notice to read, and who the visitor is or is no longer."""

    pushes: list[dict[str, Any]] = msgspec.field(default_factory=list)
    notices: list[str] = msgspec.field(default_factory=list)
    identity: Account | None = None
    has_left: bool = False

    def __bool__(self) -> bool:
        return bool(self.pushes or self.notices or self.identity or self.has_left)


class Session(msgspec.Struct):
    """One visitor's state, known to the browser by a random token."""

    token: str
    cart: Cart = Cart()
    wishlist: list[str] = msgspec.field(default_factory=list)
    checkout: CheckoutProgress = msgspec.field(default_factory=CheckoutProgress)
    account: Account | None = None
    orders: dict[str, Order] = msgspec.field(default_factory=dict)
    flash: Flash = msgspec.field(default_factory=Flash)

    @property
    def worth_keeping(self) -> bool:
        """Whether anything would be lost with it."""
        return bool(self.cart.lines or self.wishlist or self.account or self.orders or self.flash)

    def take_flash(self) -> Flash:
        """Give what the next page is to say, and forget it."""
        taken, self.flash = self.flash, Flash()
        return taken

    def keep_order(self, order: Order) -> None:
        """Remember an order; beyond the limit the oldest is forgotten."""
        self.orders[order.number] = order
        while len(self.orders) > MAX_ORDERS:
            self.orders.pop(next(iter(self.orders)))


class SessionStore:
    """The sessions of this process, bounded in number."""

    def __init__(self, limit: int = MAX_SESSIONS) -> None:
        self._limit = limit
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    def open(self, token: str | None) -> Session:
        """Give the session of a token, or a new one that is not kept yet."""
        known = self._sessions.get(token or "")
        if known is None:
            return Session(token=secrets.token_urlsafe(_TOKEN_BYTES))
        self._sessions.move_to_end(known.token)
        return known

    def keep(self, session: Session) -> bool:
        """Keep a session if there is anything in it.

        Returns:
            Whether it is kept, so that the browser is to know its token.
        """
        if session.token not in self._sessions and not session.worth_keeping:
            return False
        self._sessions[session.token] = session
        while len(self._sessions) > self._limit:
            self._sessions.popitem(last=False)
        return True
