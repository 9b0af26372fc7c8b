"""Tombstones: what of a person that was erased arrives late brings nobody back.

A tombstone is a keyed hash of an id, or of a message to it, with the instant of the erasure. What happened before that
instant is not kept; what happens after it is a new visit, of somebody about whom nothing is known.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

import msgspec

from warehouse.event import epoch_of

#: Rows of the worker about a person, that were on their way at the erasure, are stamped up to so much after it.
OWN_GRACE_MS: Final = 10_000


class Mark(msgspec.Struct, frozen=True):
    """One tombstone: the hash, and when the erasure was (epoch ms)."""

    mark: str
    erased_at: int


class RowOwner(msgspec.Struct, frozen=True):
    """The fields of a row, of any table, that tell whose it is and of when."""

    site: str = ""
    visitor_id: str = ""
    anonymous_id: str = ""
    user_id: str = ""
    message_id: str = ""
    ts: str = ""
    at: str = ""
    decided_at: str = ""

    @property
    def instant(self) -> int:
        """Return when it happened, epoch ms; 0 when the row does not tell."""
        text = self.ts or self.at or self.decided_at
        return epoch_of(text) if text else 0


_read_owner: Final = msgspec.json.Decoder(RowOwner).decode


class Tombstones:
    """The tombstones that a process knows.

    Args:
        secret: of the installation: without it a tombstone cannot be told from a random text.
    """

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.blake2b(secret, person=b"mm.tombstones").digest()
        self._erased_at: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._erased_at)

    def mark_of(self, site: str, visitor_id: str) -> str:
        """Return the hash of a visitor's id."""
        return self._hash("id", site, visitor_id)

    def mark_of_message(self, site: str, message_id: str) -> str:
        """Return the hash of a message's id."""
        return self._hash("message", site, message_id)

    def add(self, marks: Iterable[Mark]) -> bool:
        """Take tombstones; tell whether one of them is news."""
        is_news = False
        for one in marks:
            if self._erased_at.get(one.mark, -1) < one.erased_at:
                self._erased_at[one.mark] = one.erased_at
                is_news = True
        return is_news

    def covers(self, site: str, visitor_id: str) -> bool:
        """Tell whether an id was erased, whenever."""
        return bool(self._erased_at) and self.mark_of(site, visitor_id) in self._erased_at

    def covers_event(self, site: str, ids: Iterable[str], message_id: str, at: int) -> bool:
        """Tell whether an event is of somebody who was erased since.

        Args:
            site: the site.
            ids: every id in it; '' is none.
            message_id: the message that it is about; '' for none. What comes back about an erased person's message
                is about that person, whenever it happens.
            at: when it happened, epoch ms.
        """
        if not self._erased_at:
            return False
        if message_id and self.mark_of_message(site, message_id) in self._erased_at:
            return True
        return any(self._erased_at.get(self.mark_of(site, each), -1) >= at for each in ids if each)

    def covers_line(self, line: bytes, grace_ms: int = 0) -> bool:
        """Tell whether a row, as JSON, is of somebody who was erased since it happened.

        Args:
            line: the row; what cannot be read is nobody's.
            grace_ms: the longest that it may be stamped after what it is about.
        """
        if not self._erased_at:
            return False
        try:
            owner = _read_owner(line)
            instant = owner.instant - grace_ms
        except (msgspec.MsgspecError, ValueError):
            return False
        ids = (owner.visitor_id, owner.anonymous_id, owner.user_id)
        return self.covers_event(owner.site, ids, owner.message_id, instant)

    def _hash(self, kind: str, site: str, value: str) -> str:
        text = f"{kind}\0{site}\0{value}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._key, digest_size=16).hexdigest()
