"""The journal: rows of every table, durable in one log, and their movement to ClickHouse batch by batch.

A batch is formed durably before it may be inserted: the same rows under the same token through every retry and
restart. ClickHouse recognises a token among the last 10,000 that were inserted into the table
(`non_replicated_deduplication_window`). The insert whose answer was lost is the last one of this journal, so its token
is forgotten only if the process stays away while others insert 10,000 batches: at two a second and journal, more than
80 minutes for one other collector, eight minutes for ten.

Not safe for threads: `warehouse.journal.group_commit` owns the one thread that uses it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final, Self

import msgspec
import structlog

from warehouse.errors import JournalFull
from warehouse.journal.folder import JournalFolder
from warehouse.journal.frames import Adopted, Finished, Record, Refused, Rows, Taken
from warehouse.journal.refused import RefusedRows
from warehouse.journal.replay import Replay, replay
from warehouse.journal.seen import SeenIds
from warehouse.journal.segments import Position, Segments
from warehouse.journal.tables import TABLES, Batch, JournalTable, RefusedRow
from warehouse.journal.waiting import Memory, Slice, WaitingRows

_log = structlog.get_logger("warehouse.journal.log")


class JournalLimits(msgspec.Struct, frozen=True):
    """What a journal may hold.

    Args:
        max_bytes: most bytes on disk; beyond it rows are refused.
        max_age_ms: rows are refused while the oldest waiting one is older.
        memory_bytes: most bytes of waiting rows in memory; the others are read back from disk.
        segment_bytes: size of one file.
    """

    max_bytes: int = 4 * 1024**3
    max_age_ms: int = 7 * 86_400_000
    memory_bytes: int = 64 * 1024**2
    segment_bytes: int = 16 * 1024**2


DEFAULT_LIMITS: Final = JournalLimits()


class Journal:
    """The rows that were acknowledged and are not yet in ClickHouse.

    `append`, `take`, `shrink` and `finish` are staged until `commit`, which makes all of them durable at once.

    Args:
        path: the folder; made when missing.
        limits: what it may hold.

    Raises:
        ConfigurationError: the folder cannot be used, or another process uses it.
    """

    def __init__(self, path: Path, limits: JournalLimits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        with ExitStack() as opened:
            folder = opened.enter_context(JournalFolder(path))
            self.seen: Final = SeenIds(folder)
            opened.callback(self.seen.close)
            self._segments: Final = Segments(folder, limits.segment_bytes)
            opened.callback(self._segments.close)
            self._refused = RefusedRows(folder)
            state = replay(self._segments.recover(), self.seen)
            self._closing = opened.pop_all()
        #: Up to which position the rows of other files were adopted, by the file's name.
        self.adopted: Final = state.adopted
        self._next_number = state.next_number
        self._records: list[Record] = []
        self._effects: list[Callable[[Position], None]] = []
        self._staged_ids: set[bytes] = set()
        self._staged_takes: dict[JournalTable, Batch] = {}
        self._staged_rows = 0
        self.staged_bytes = 0
        self._open_batches: dict[JournalTable, Batch] = {}
        memory = Memory(limits.memory_bytes)
        self._waiting = {table: WaitingRows(table.number, memory, self._segments.read) for table in TABLES}
        self._resume(state)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    @property
    def size(self) -> int:
        """Bytes on disk, of rows that wait and of rows that lie between them."""
        return self._segments.bytes

    def depth(self, table: JournalTable) -> int:
        """Return how many rows of a table wait."""
        return self._waiting[table].depth

    def oldest_at(self, table: JournalTable | None = None) -> int | None:
        """Return when the oldest waiting row of a table, or of all, was received (epoch ms); None when none waits."""
        asked = self._waiting.values() if table is None else (self._waiting[table],)
        return min((rows.oldest_at for rows in asked if rows.oldest_at is not None), default=None)

    def append(self, table: JournalTable, lines: Sequence[bytes], at: int, ids: Sequence[bytes] = ()) -> list[int]:
        """Take rows, all or none of them.

        Args:
            table: whose rows they are.
            lines: rows as JSON objects, in the order in which they arrived.
            at: now, epoch ms.
            ids: for each row its id, when repeats of a row are to be recognised.

        Returns:
            The indexes of the rows whose id was acknowledged before, which are not taken again.

        Raises:
            JournalFull: there is no room for them.
            OSError: the disk is full.
        """
        self._require_room(sum(map(len, lines)), at)
        if not ids:
            self._stage_rows(table, lines, at, [])
            return []
        hashes = self.seen.hash_ids(ids)
        known = self.seen.known(hashes)
        fresh: dict[bytes, bytes] = {}
        repeated = []
        for index, each in enumerate(hashes):
            if each in known or each in fresh or each in self._staged_ids:
                repeated.append(index)
            else:
                fresh[each] = lines[index]
        self.seen.prepare(at, len(self._staged_ids) + len(fresh))
        self._staged_ids.update(fresh)
        self._stage_rows(table, list(fresh.values()), at, list(fresh))
        return repeated

    def take(self, table: JournalTable, limit: int) -> Batch | None:
        """Return the batch to insert next: the open one, else a new one of the oldest rows.

        Args:
            table: whose rows.
            limit: most rows of a new batch.
        """
        begun = self._open_batches.get(table) or self._staged_takes.get(table)
        if begun is not None:
            return begun
        rows = self._waiting[table].first_rows(limit)
        return self._stage_batch(table, rows) if rows else None

    def shrink(self, batch: Batch) -> Batch:
        """Replace an open batch of two rows or more, which is not in ClickHouse, by one of its first half."""
        middle = len(batch.lines) // 2
        rows = self._waiting[batch.table].first_rows(middle)
        if rows is None or self._open_batches.get(batch.table) != batch:
            return batch
        return self._stage_batch(batch.table, rows)

    def finish(self, batch: Batch, refused: Sequence[RefusedRow] = ()) -> None:
        """Forget a batch that ClickHouse has, but for the rows that it refused: those are set aside.

        They wait for ClickHouse again when the journal is opened next.

        Raises:
            OSError: the disk is full.
        """
        if self._open_batches.get(batch.table) != batch:
            return
        if refused:
            self._refused.add([Refused(batch.table.number, batch.token, row.line, row.reason) for row in refused])
        self._records.append(Finished(batch.table.number, batch.end))
        self._effects.append(lambda _: self._leave(batch))

    def adopt(self, table: JournalTable, lines: Sequence[bytes], at: int, source: Adopted, token: str = "") -> None:
        """Take rows that another file held, once.

        Args:
            table: whose rows they are.
            lines: rows as JSON objects; there may be none.
            at: now, epoch ms.
            source: what of the file is in the journal after these rows.
            token: of the batch that they were, as which they may be in ClickHouse already; it counts only while no
                other row of the table waits.
        """
        first = self._next_number + self._staged_rows
        self._stage_rows(table, lines, at, [])
        self._records.append(source)
        self._effects.append(lambda _: self.adopted.update({source.name: source.position}))
        if token and lines and not self._waiting[table].depth:
            self._stage_batch(table, Slice(first, first + len(lines), list(lines)), token)

    def commit(self) -> None:
        """Make what is staged durable.

        Raises:
            OSError: nothing of it was; it stays staged until `rollback`.
        """
        if not self._records:
            self.rollback()
            return
        position = self._segments.append(self._next_number, self._records)
        self._next_number += self._staged_rows
        for effect in self._effects:
            effect(position)
        self.rollback()
        self._remove_passed()

    def rollback(self) -> None:
        """Forget what is staged."""
        self._records.clear()
        self._effects.clear()
        self._staged_ids.clear()
        self._staged_takes.clear()
        self._staged_rows = self.staged_bytes = 0

    def repair(self) -> None:
        """See that the next commit can succeed.

        Raises:
            OSError: the disk is still full or failing.
        """
        self._segments.repair()

    def full(self, at: int, more: int = 0) -> str:
        """Return why no row can be taken at `at` (epoch ms), or "" when there is room for `more` bytes."""
        if self.size + self.staged_bytes + more > self._limits.max_bytes:
            return f"{self.size} bytes wait for ClickHouse, the most the journal may hold"
        oldest = self.oldest_at()
        if oldest is not None and at - oldest > self._limits.max_age_ms:
            return f"rows have waited for ClickHouse for {(at - oldest) // 3_600_000} h, the longest they may"
        return ""

    def _require_room(self, more: int, at: int) -> None:
        if reason := self.full(at, more):
            raise JournalFull(reason, "bring ClickHouse back, or raise `journal_max_bytes`")

    def _stage_rows(self, table: JournalTable, lines: Sequence[bytes], at: int, hashes: list[bytes]) -> None:
        if not lines:
            return
        joined = b"\n".join(lines)
        if joined.count(b"\n") != len(lines) - 1:  # JSON means the same without its line breaks
            joined = b"\n".join(line.replace(b"\n", b" ") for line in lines)
        rows = Rows(table.number, at, len(lines), b"".join(hashes), joined)
        first = self._next_number + self._staged_rows
        self._records.append(rows)
        self._effects.append(partial(self._arrive, table, rows, first, hashes))
        self._staged_rows += len(lines)
        self.staged_bytes += len(joined)

    def _stage_batch(self, table: JournalTable, rows: Slice, token: str = "") -> Batch:
        batch = Batch(table, token or uuid.uuid4().hex, rows.first, rows.end, rows.lines)
        self._records.append(Taken(table.number, batch.token, batch.first, batch.end))
        self._staged_takes[table] = batch
        self._effects.append(lambda _: self._open_batches.update({table: batch}))
        return batch

    def _arrive(self, table: JournalTable, rows: Rows, first: int, hashes: list[bytes], position: Position) -> None:
        self._waiting[table].add(rows, first, position)
        if hashes:
            self.seen.add(hashes, rows.at)

    def _leave(self, batch: Batch) -> None:
        self._open_batches.pop(batch.table, None)
        self._waiting[batch.table].finish(batch.end, len(batch.lines))

    def _remove_passed(self) -> None:
        """Remove the oldest segments when all their rows have left and their ids are durable elsewhere."""
        oldest = min((rows.oldest_number for rows in self._waiting.values() if rows.depth), default=self._next_number)
        passed = self._segments.passed(oldest)
        if not passed:
            return
        if passed[-1].next_number > self.seen.synced:
            self.seen.begin_sync(self._next_number)
            passed = self._segments.passed(min(oldest, self.seen.synced))
        try:
            self._segments.remove(passed)
        except OSError as error:
            _log.warning("segments_not_removed", error=str(error))

    def _resume(self, state: Replay) -> None:
        start = Position(0, 0)
        for table, rows in self._waiting.items():
            found = state.table(table.number)
            rows.resume(found.cursor, found.depth, start)
            begun = found.open_batch
            if begun is not None and (batch := rows.rows_before(begun.end)):
                self._open_batches[table] = Batch(table, begun.token, batch.first, batch.end, batch.lines)
        try:
            self._take_back_refused()
        except OSError as error:
            self.rollback()
            _log.error(
                "refused_rows_stay_aside", error=str(error), remedy="free disk space; they are tried at the next start"
            )

    def _take_back_refused(self) -> None:
        now = time.time_ns() // 1_000_000
        # Rows of a batch that was not finished after all wait as part of it.
        open_tokens = {batch.token for batch in self._open_batches.values()}
        for name, rows in self._refused.earlier():
            if name not in self.adopted:
                for table in self._waiting:
                    lines = [row.line for row in rows if row.table == table.number and row.token not in open_tokens]
                    self.adopt(table, lines, now, Adopted(name, len(rows)))
                self.commit()
            self._refused.remove(name)
