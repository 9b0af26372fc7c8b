"""The sessions of visitors, kept in memory between requests."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import Any

import msgspec

from demo_store.account import Account
from demo_store.cart import Cart
from demo_store.checkout import CheckoutProgress, Order

#: The most sessions that are kept; the sessions longest unused are dropped.
MAX_SESSIONS = 5_000
#: The most orders of one session; older ones are dropped.
MAX_ORDERS = 20

_TOKEN_BYTES = 24


class Flash(msgspec.Struct):
    """The messages for the next page, which shows them once.

    Args:
        pushes: pushes to the data layer.
        notices: notices to the visitor.
        identity: the account or contact to identify the visitor by.
        is_guest: whether it is the contact of a guest, who has not shown whose address it is.
        has_left: whether the visitor has logged out.
    """

    pushes: list[dict[str, Any]] = msgspec.field(default_factory=list)
    notices: list[str] = msgspec.field(default_factory=list)
    identity: Account | None = None
    is_guest: bool = False
    has_left: bool = False

    @property
    def user_id(self) -> str | None:
        """Return the id of the account to identify the visitor by, or None for a guest."""
        return None if self.identity is None or self.is_guest else self.identity.account_id

    def __bool__(self) -> bool:
        return bool(self.pushes or self.notices or self.identity or self.has_left)


class Session(msgspec.Struct):
    """The state of one visitor; the browser keeps the random token that names it."""

    token: str
    cart: Cart = Cart()
    wishlist: list[str] = msgspec.field(default_factory=list)
    checkout: CheckoutProgress = msgspec.field(default_factory=CheckoutProgress)
    account: Account | None = None
    orders: dict[str, Order] = msgspec.field(default_factory=dict)
    flash: Flash = msgspec.field(default_factory=Flash)

    @property
    def worth_keeping(self) -> bool:
        """Tell whether the session holds anything that would be lost without it."""
        return bool(self.cart.lines or self.wishlist or self.account or self.orders or self.flash)

    def take_flash(self) -> Flash:
        """Return the messages for the next page, and remove them from the session."""
        taken, self.flash = self.flash, Flash()
        return taken

    def keep_order(self, order: Order) -> None:
        """Store an order; beyond the limit the oldest order is dropped."""
        self.orders[order.number] = order
        while len(self.orders) > MAX_ORDERS:
            self.orders.pop(next(iter(self.orders)))


class SessionStore:
    """The sessions of this process, by token; the sessions longest unused are dropped beyond a limit."""

    def __init__(self, limit: int = MAX_SESSIONS) -> None:
        self._limit = limit
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    def open(self, token: str | None) -> Session:
        """Return the session of a token, or a new session that is not kept yet."""
        known = self._sessions.get(token or "")
        if known is None:
            return Session(token=secrets.token_urlsafe(_TOKEN_BYTES))
        self._sessions.move_to_end(known.token)
        return known

    def keep(self, session: Session) -> bool:
        """Keep a session if it holds anything, and tell whether it is kept.

        A session that is kept needs a cookie with its token in the browser.
        """
        if session.token not in self._sessions and not session.worth_keeping:
            return False
        self._sessions[session.token] = session
        while len(self._sessions) > self._limit:
            self._sessions.popitem(last=False)
        return True
