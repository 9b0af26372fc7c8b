"""What the journal's files say at start: which rows wait, which batches are open, which ids were acknowledged."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import structlog

from warehouse.journal.frames import ID_BYTES, Adopted, Finished, Frame, Rows, TakenFrame
from warehouse.journal.seen import SeenIds

_log = structlog.get_logger("warehouse.journal.replay")


@dataclass
class TableState:
    """One table's part: `chunks` are the numbers (first, behind the last) of its rows that have not left."""

    cursor: int = 0
    chunks: deque[tuple[int, int]] = field(default_factory=deque)
    open_batch: TakenFrame | None = None

    @property
    def depth(self) -> int:
        """How many rows wait."""
        return sum(end - max(first, self.cursor) for first, end in self.chunks)

    def finish(self, end: int) -> None:
        """Drop the rows before number `end`."""
        self.cursor = max(self.cursor, end)
        while self.chunks and self.chunks[0][1] <= end:
            self.chunks.popleft()
        if self.open_batch is not None and self.open_batch.end <= end:
            self.open_batch = None


@dataclass
class Replay:
    """The state that a journal continues from."""

    next_number: int = 0
    tables: dict[int, TableState] = field(default_factory=dict)
    adopted: dict[str, int] = field(default_factory=dict)

    def table(self, number: int) -> TableState:
        """Return a table's part."""
        return self.tables.setdefault(number, TableState())


def replay(frames: Iterable[Frame], seen: SeenIds) -> Replay:
    """Read frames in order, and give `seen` the ids of their rows."""
    state = Replay()
    for frame in frames:
        number = frame.number
        for record in frame.records:
            if isinstance(record, Rows):
                state.table(record.table).chunks.append((number, number + record.count))
                number += record.count
                _remember(seen, record)
            elif isinstance(record, TakenFrame):
                state.table(record.table).open_batch = record
            elif isinstance(record, Finished):
                state.table(record.table).finish(record.end)
            elif isinstance(record, Adopted):
                state.adopted[record.name] = record.position
        state.next_number = max(state.next_number, number)
    return state


def _remember(seen: SeenIds, rows: Rows) -> None:
    if rows.ids:
        hashes = [rows.ids[begin : begin + ID_BYTES] for begin in range(0, len(rows.ids), ID_BYTES)]
        try:
            seen.prepare(rows.at, len(hashes))
        except OSError as error:
            _log.error("seen_ids_lost", error=str(error), remedy="free disk space under `data_folder`")
        else:
            seen.add(hashes, rows.at)
