"""The accounts of the shop, kept in memory without passwords, and the plans of its membership."""

from __future__ import annotations

import re
from collections import OrderedDict
from hashlib import sha256

import msgspec

#: The most accounts that are kept; the oldest are dropped.
MAX_ACCOUNTS = 10_000
_EMAIL = re.compile(r"[^@\s<>\"]+@[^@\s<>\"]+\.[^@\s<>\".]{2,}")


class Account(msgspec.Struct, frozen=True):
    """An account, or the contact of a guest: an e-mail address, a first name and the key of a plan."""

    email: str
    first_name: str
    plan: str = ""

    @property
    def account_id(self) -> str:
        """Return the stable id of the account, which does not show the address."""
        return account_id_for(self.email)


class Plan(msgspec.Struct, frozen=True):
    """A membership plan; `price` is whole euros a year."""

    key: str
    name: str
    price: int
    line: str
    benefits: tuple[str, ...]


class AccountBook:
    """The accounts of this process, by address; the oldest are dropped beyond a limit."""

    def __init__(self, limit: int = MAX_ACCOUNTS) -> None:
        self._limit = limit
        self._accounts: OrderedDict[str, Account] = OrderedDict()

    def find(self, email: str) -> Account | None:
        """Return the account of an address in any case, or None when there is none."""
        return self._accounts.get(email.strip().lower())

    def open(self, account: Account) -> None:
        """Store an account, in place of an earlier account of the same address."""
        self._accounts[account.email.lower()] = account
        self._accounts.move_to_end(account.email.lower())
        while len(self._accounts) > self._limit:
            self._accounts.popitem(last=False)


#: The membership plans by their key.
PLANS = {
    plan.key: plan
    for plan in (
        Plan(
            "trail",
            "Trail",
            0,
            "For the odd weekend out.",
            ("Order history and wishlist", "Members' letter once a month", "Thirty days to return"),
        ),
        Plan(
            "ridge",
            "Ridge",
            39,
            "For everybody who is out most weekends.",
            ("Everything in Trail", "New things a week early", "Ninety days to return", "One free repair a year"),
        ),
        Plan(
            "summit",
            "Summit",
            89,
            "For guides, groups and the incurable.",
            ("Everything in Ridge", "Two guided walks a year", "Repairs free of charge", "First pick of small runs"),
        ),
    )
}


def account_id_for(email: str) -> str:
    """Return the id of the person with an address, the same for a guest and for the holder of an account."""
    return "acct_" + sha256(email.strip().lower().encode()).hexdigest()[:16]


def is_email(text: str) -> bool:
    """Tell whether a text has the shape of an e-mail address."""
    return len(text) <= 200 and _EMAIL.fullmatch(text) is not None
