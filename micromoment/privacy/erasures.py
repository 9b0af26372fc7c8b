"""What a process knows of erasures: rows that may not be stored any more, and who must forget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from contextlib import contextmanager
from typing import Final

from warehouse.event import EventRow, epoch_of
from warehouse.journal.tables import EVENTS, JournalTable
from warehouse.tombstones import OWN_GRACE_MS, Mark, Tombstones

#: Forgets visitors who were erased, told by site and id.
Forget = Callable[[Callable[[str, str], bool]], None]


class Erasures:
    """The tombstones of a process, and the parts of it that must forget.

    Args:
        secret: of the installation.
    """

    def __init__(self, secret: bytes) -> None:
        self.tombstones: Final = Tombstones(secret)
        self._forgetting: list[Forget] = []

    @contextmanager
    def forgetting(self, forget: Forget) -> Iterator[None]:
        """Have a part of the process forget whoever is erased until the block ends."""
        self._forgetting.append(forget)
        try:
            yield
        finally:
            self._forgetting.remove(forget)

    def take(self, marks: Iterable[Mark], visitors: Set[tuple[str, str]] | None = None) -> bool:
        """Take tombstones, and have every part forget when one is news; tell whether one was.

        Args:
            marks: the tombstones.
            visitors: as in `forget`.
        """
        is_news = self.tombstones.add(marks)
        if is_news:
            self.forget(visitors)
        return is_news

    def forget(self, visitors: Set[tuple[str, str]] | None = None) -> None:
        """Have every part of the process forget whoever was erased.

        Args:
            visitors: who they are, by site and id, where that is known: to hash everybody in memory takes longer.
        """
        is_erased = self.tombstones.covers if visitors is None else lambda *visitor: visitor in visitors
        for forget in list(self._forgetting):
            forget(is_erased)

    def is_erased(self, row: EventRow) -> bool:
        """Tell whether an event is of somebody who was erased since it happened."""
        if not len(self.tombstones):
            return False
        ids = (row.visitor_id, row.anonymous_id, row.user_id)
        return self.tombstones.covers_event(row.site, ids, row.message_id, epoch_of(row.ts))

    def may_store(self, table: JournalTable, line: bytes) -> bool:
        """Tell whether a row of the journal may be stored still."""
        return not self.tombstones.covers_line(line, 0 if table is EVENTS else OWN_GRACE_MS)
