"""The parts that live as long as the shop runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from demo_store.account import AccountBook
from demo_store.catalogue import Catalogue
from demo_store.session import SessionStore
from demo_store.settings import StoreSettings


@dataclass(frozen=True)
class Shop:
    """One running shop: what it sells, and what it remembers of its visitors."""

    settings: StoreSettings
    catalogue: Catalogue
    sessions: SessionStore = field(default_factory=SessionStore)
    accounts: AccountBook = field(default_factory=AccountBook)
