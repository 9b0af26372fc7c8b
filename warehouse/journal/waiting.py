"""The rows of one table that wait for ClickHouse, the oldest in memory, the rest on disk; rows staged for a commit."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec
import structlog

from warehouse.journal.frames import Frame, Record, Rows
from warehouse.journal.segments import JournalPosition
from warehouse.journal.tables import JournalBatch, JournalTable

#: Most bytes of rows in one batch; a single row may be larger.
MAX_BATCH_BYTES: Final = 8 * 1024**2
_log = structlog.get_logger("warehouse.journal.waiting")
ReadFrames = Callable[[JournalPosition], Iterator[tuple[Frame, JournalPosition]]]


class Memory:
    """The bound that the waiting rows of all tables share, in bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0


class Slice(msgspec.Struct, frozen=True):
    """Consecutive rows of a table: the number of the first, the number behind the last, and their lines."""

    first: int
    end: int
    lines: list[bytes]


class _Chunk(msgspec.Struct, frozen=True, gc=False):
    """Rows that were appended together; they have consecutive numbers from `first`."""

    first: int
    end: int
    at: int
    lines: bytes


class WaitingRows:
    """A queue whose head is in memory.

    Args:
        table: number of the table.
        memory: the bound on all tables' rows.
        read: yields the durable frames from a place on.
    """

    def __init__(self, table: int, memory: Memory, read: ReadFrames) -> None:
        self._table = table
        self._memory = memory
        self._read = read
        self._chunks: deque[_Chunk] = deque()
        self._bytes = 0
        self._rows_in_memory = 0
        #: Number behind the last row that is or was in memory.
        self._loaded_to = 0
        self._on_disk: JournalPosition | None = None
        #: Number of the first row that may still wait: every earlier one of the table has left.
        self.cursor = 0
        #: How many rows wait.
        self.depth = 0

    @property
    def oldest_at(self) -> int | None:
        """When the oldest waiting row was received, epoch ms."""
        try:
            return self._chunks[0].at
        except IndexError:
            return None

    @property
    def oldest_number(self) -> int:
        """Number of the oldest waiting row, or a lower one; the next file's rows come after it."""
        return max(self.cursor, self._chunks[0].first) if self._chunks else self.cursor

    def resume(self, cursor: int, depth: int, position: JournalPosition) -> None:
        """Begin with rows that are all on disk, from `position` on."""
        self.cursor = self._loaded_to = cursor
        self.depth = depth
        self._on_disk = position if depth else None
        self._read_ahead()

    def add(self, rows: Rows, first: int, position: JournalPosition) -> None:
        """Take in rows that are durable, in the frame at `position`."""
        self.depth += rows.count
        if self._on_disk is not None:
            return
        if self._chunks and self._memory.used + len(rows.lines) > self._memory.limit:
            self._on_disk = position
        else:
            self._keep(rows, first)

    def first_rows(self, limit: int) -> Slice | None:
        """Return the oldest rows, `limit` of them at most, or None when none wait."""
        self._read_ahead()
        return self._slice(limit, None)

    def rows_before(self, end: int) -> Slice | None:
        """Return the waiting rows before number `end`, however many."""
        self._load(lambda: bool(self._chunks) and self._chunks[-1].end >= end)
        return self._slice(None, end)

    def all_rows(self, most_bytes: int) -> Slice | None:
        """Return every waiting row, or None when they are more than so many bytes."""
        is_small = self._on_disk is None and self._bytes <= most_bytes
        return self._slice(None, self._loaded_to) if is_small else None

    def finish(self, end: int, count: int) -> None:
        """Drop the rows before number `end`, `count` of them."""
        self.cursor = end
        self.depth -= count
        self._rows_in_memory -= count
        while self._chunks and self._chunks[0].end <= end:
            self._count_bytes(-len(self._chunks.popleft().lines))
        if not self._chunks:
            self._read_ahead()
        if not self._chunks and self._on_disk is None:
            self.depth = self._rows_in_memory = 0  # rows that a damaged file lost had been counted

    def _slice(self, limit: int | None, end: int | None) -> Slice | None:
        lines: list[bytes] = []
        first, behind, size = self.cursor, self.cursor, 0
        for chunk in self._chunks:
            begin = max(chunk.first, self.cursor)
            stop = chunk.end if end is None else min(chunk.end, end)
            if limit is not None:
                stop = min(stop, begin + limit - len(lines))
            if stop <= begin or (lines and limit is not None and size + len(chunk.lines) > MAX_BATCH_BYTES):
                break
            first = first if lines else begin
            lines += chunk.lines.split(b"\n")[begin - chunk.first : stop - chunk.first]
            size, behind = size + len(chunk.lines), stop
        return Slice(first, behind, lines) if lines else None

    def _read_ahead(self) -> None:
        enough = min(MAX_BATCH_BYTES, self._memory.limit)
        self._load(lambda: self._bytes >= enough)

    def _load(self, is_enough: Callable[[], bool]) -> None:
        """Read frames from disk until there is enough in memory, or none is left on disk."""
        if self._on_disk is None or is_enough():
            return
        try:
            for frame, behind in self._read(self._on_disk):
                self._keep_rows_of(frame)
                self._on_disk = behind
                if self._rows_in_memory == self.depth:
                    break
                if is_enough():
                    return
        except OSError as error:
            _log.error("journal_not_read", error=str(error), remedy="check the disk; it is tried again")
        else:
            self._on_disk = None

    def _keep_rows_of(self, frame: Frame) -> None:
        first = frame.number
        for record in frame.records:
            if isinstance(record, Rows):
                if record.table == self._table and first + record.count > self._loaded_to:
                    self._keep(record, first)
                first += record.count

    def _keep(self, rows: Rows, first: int) -> None:
        chunk = _Chunk(first, first + rows.count, rows.at, rows.lines)
        self._chunks.append(chunk)
        self._rows_in_memory += chunk.end - max(first, self.cursor)
        self._loaded_to = chunk.end
        self._count_bytes(len(rows.lines))

    def _count_bytes(self, more: int) -> None:
        self._bytes += more
        self._memory.used += more


Effect = Callable[[JournalPosition], None]


class Staged:
    """Records in order, each with the change in memory that follows when it is durable."""

    def __init__(self) -> None:
        self.records: Final[list[Record]] = []
        self.effects: Final[list[Effect]] = []
        #: Hashed ids of staged rows.
        self.ids: Final[set[bytes]] = set()
        #: The batch that was formed of a table.
        self.batches: Final[dict[JournalTable, JournalBatch]] = {}
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
