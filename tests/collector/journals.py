"""Journals that take nothing: full ones, and ones whose disk fails."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from warehouse.journal.log import Journal
from warehouse.journal.tables import JournalLimits

#: More than the row of a test's event takes, and less than two of them.
EVENT_BYTES = 350


def full_journal(folder: Path, room_for: int = 0) -> Journal:
    """A journal with room for so many events."""
    return Journal(folder / "journal", JournalLimits(max_bytes=room_for * EVENT_BYTES))


class FailingJournal(Journal):
    """Cannot commit while `fails` is set, as when a disk is full."""

    fails = False

    def commit(self) -> None:
        if self.fails and self._staged.records:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().commit()
