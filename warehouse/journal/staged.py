"""What the next commit makes durable, and what it then changes in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from warehouse.journal.frames import Record, Rows
from warehouse.journal.segments import Position
from warehouse.journal.tables import Batch, JournalTable

Effect = Callable[[Position], None]


class Staged:
    """Records in order, each with the change in memory that follows when it is durable."""

    def __init__(self) -> None:
        self.records: Final[list[Record]] = []
        self.effects: Final[list[Effect]] = []
        #: Hashed ids of staged rows.
        self.ids: Final[set[bytes]] = set()
        #: The batch that was formed of a table.
        self.batches: Final[dict[JournalTable, Batch]] = {}
        self.row_count = self.size = 0

    def add(self, record: Record, effect: Effect) -> None:
        """Stage a record that holds no rows."""
        self.records.append(record)
        self.effects.append(effect)

    def add_rows(self, rows: Rows, effect: Effect) -> None:
        """Stage rows."""
        self.add(rows, effect)
        self.row_count += rows.count
        self.size += len(rows.lines)

    def clear(self) -> None:
        """Forget everything."""
        self.records.clear()
        self.effects.clear()
        self.ids.clear()
        self.batches.clear()
        self.row_count = self.size = 0


def joined_lines(lines: Sequence[bytes]) -> bytes:
    """Return rows as lines of one text; a line break inside a row's JSON becomes a space, which means the same."""
    joined = b"\n".join(lines)
    if joined.count(b"\n") == len(lines) - 1:
        return joined
    return b"\n".join(line.replace(b"\n", b" ") for line in lines)
