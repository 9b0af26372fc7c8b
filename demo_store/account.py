"""Simulated accounts: an e-mail address and a first name, kept in memory."""

from __future__ import annotations

import re
from collections import OrderedDict
from hashlib import sha256

import msgspec

#: The oldest accounts make room for new ones beyond this many.
MAX_ACCOUNTS = 10_000

_EMAIL = re.compile(r"[^@\s<>\"]+@[^@\s<>\"]+\.[^@\s<>\".]{2,}")


class Account(msgspec.Struct, frozen=True):
    """Somebody the shop knows by name."""

    email: str
    first_name: str
    plan: str = ""

    @property
    def account_id(self) -> str:
        """A stable id that does not show the address."""
        return account_id_for(self.email)


class AccountBook:
    """The accounts of this process, bounded in number."""

    def __init__(self, limit: int = MAX_ACCOUNTS) -> None:
        self._limit = limit
        self._accounts: OrderedDict[str, Account] = OrderedDict()

    def find(self, email: str) -> Account | None:
        """Find the account of an address, in whatever case it is written."""
        return self._accounts.get(email.strip().lower())

    def open(self, account: Account) -> None:
        """Take up an account, in place of an earlier one of the same address."""
        self._accounts[account.email.lower()] = account
        self._accounts.move_to_end(account.email.lower())
        while len(self._accounts) > self._limit:
            self._accounts.popitem(last=False)


def account_id_for(email: str) -> str:
    """Derive the id of whoever has that address: the same for a guest and for an account holder."""
    return "acct_" + sha256(email.strip().lower().encode()).hexdigest()[:16]


def is_email(text: str) -> bool:
    """Tell whether a text has the shape of an e-mail address."""
    return len(text) <= 200 and _EMAIL.fullmatch(text) is not None
