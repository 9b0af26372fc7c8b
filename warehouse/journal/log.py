"""The journal: rows of every table, durable in one log, and their movement to ClickHouse batch by batch.

A batch is formed durably before it may be inserted: the same rows under the same token through every retry and
restart. ClickHouse recognises a token among the last 10,000 inserted into the table (its deduplication window): the
token of an insert whose answer was lost is forgotten only if others insert 10,000 batches before this process is back,
which at two inserts a second takes one other collector 80 minutes, and ten of them eight.

More than 300 lines, because all of it changes one staged state.

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

import structlog

from warehouse.errors import JournalFull
from warehouse.journal.folder import JournalFolder
from warehouse.journal.frames import Adopted, Finished, Refused, Rows, TakenFrame
from warehouse.journal.refused import RefusedRows
from warehouse.journal.replay import Replay, replay
from warehouse.journal.seen import SeenIds
from warehouse.journal.segments import JournalPosition, Segments
from warehouse.journal.tables import DEFAULT_LIMITS, TABLES, JournalBatch, JournalLimits, JournalTable, RowSetAside
from warehouse.journal.waiting import Memory, Slice, Staged, WaitingRows, joined_lines

#: A table, and rows of it as JSON objects.
TableRows = tuple[JournalTable, Sequence[bytes]]

_log = structlog.get_logger("warehouse.journal.log")

#: Most bytes of waiting rows of a table with which a journal is renewed.
_RENEWED_BYTES: Final = 64 * 1024**2

#: With more segments than this, the few rows that keep the oldest one are written again at the end.
_PINNED_SEGMENTS: Final = 4


class Journal:
    """The rows that were acknowledged and are not yet in ClickHouse.

    `append`, `take`, `shrink` and `finish` are staged until `commit`, which makes all of them durable at once.

    Args:
        path: the folder; made when missing.
        limits: what it may hold.
        lock_wait: seconds for which another process may still use it; None for as long as one needs to end.

    Raises:
        ConfigurationError: the folder cannot be used, or another process uses it.
    """

    def __init__(self, path: Path, limits: JournalLimits = DEFAULT_LIMITS, lock_wait: float | None = None) -> None:
        self._limits = limits
        with ExitStack() as opened:
            folder = opened.enter_context(JournalFolder(path, lock_wait))
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
        self._staged: Final = Staged()
        self._open_batches: dict[JournalTable, JournalBatch] = {}
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

    @property
    def staged_size(self) -> int:
        """Bytes of the rows that the next commit makes durable."""
        return self._staged.size

    def depth(self, table: JournalTable) -> int:
        """Return how many rows of a table wait."""
        return self._waiting[table].depth

    def oldest_at(self, table: JournalTable | None = None) -> int | None:
        """Return when the oldest waiting row of a table, or of all, was received (epoch ms); None when none waits."""
        asked = self._waiting.values() if table is None else (self._waiting[table],)
        return min((rows.oldest_at for rows in asked if rows.oldest_at is not None), default=None)

    def append_together(self, rows: Sequence[TableRows], at: int) -> None:
        """Take rows of several tables, all of them or none.

        Args:
            rows: by table, rows as JSON objects.
            at: now, epoch ms.

        Raises:
            JournalFull: there is no room for them.
        """
        if reason := self.refusal(at, sum(len(line) for _, lines in rows for line in lines)):
            raise JournalFull(reason, "bring ClickHouse back, or raise `journal_max_bytes`")
        for table, lines in rows:
            if lines:
                self._stage_rows(table, lines, at, [])

    def append(self, table: JournalTable, lines: Sequence[bytes], at: int, ids: Sequence[bytes] = ()) -> list[int]:
        """Take rows, all or none of them; return the indexes of those whose id was acknowledged before.

        Args:
            table: whose rows they are.
            lines: rows as JSON objects, in the order in which they arrived.
            at: now, epoch ms.
            ids: for each row its id, when repeats are to be recognised; they are not taken again.

        Raises:
            JournalFull: there is no room for them.
            OSError: the disk is full.
        """
        if reason := self.refusal(at, sum(map(len, lines))):
            raise JournalFull(reason, "bring ClickHouse back, or raise `journal_max_bytes`")
        if not ids:
            self._stage_rows(table, lines, at, [])
            return []
        hashes = self.seen.hash_ids(ids)
        known = self.seen.known(hashes)
        fresh: dict[bytes, bytes] = {}
        repeated = []
        for index, each in enumerate(hashes):
            if each in known or each in fresh or each in self._staged.ids:
                repeated.append(index)
            else:
                fresh[each] = lines[index]
        self.seen.prepare(at, len(self._staged.ids) + len(fresh))
        self._staged.ids.update(fresh)
        self._stage_rows(table, list(fresh.values()), at, list(fresh))
        return repeated

    def take(self, table: JournalTable, limit: int) -> JournalBatch | None:
        """Return the batch to insert next: the open one, else a new one of the oldest rows.

        Args:
            table: whose rows.
            limit: most rows of a new batch.
        """
        begun = self._open_batches.get(table) or self._staged.batches.get(table)
        if begun is not None:
            return begun
        rows = self._waiting[table].first_rows(limit)
        return self._stage_batch(table, rows) if rows else None

    def shrink(self, batch: JournalBatch) -> JournalBatch:
        """Replace an open batch of two rows or more, which is not in ClickHouse, by one of its first half."""
        middle = len(batch.lines) // 2
        begun, rows = self._open_batches.get(batch.table), self._waiting[batch.table].first_rows(middle)
        if rows is None or begun is None or begun.token != batch.token:
            return batch
        return self._stage_batch(batch.table, rows)

    def finish(self, batch: JournalBatch, refused: Sequence[RowSetAside] = ()) -> None:
        """Forget a batch that ClickHouse has, but for the rows that it refused: those are set aside.

        They wait for ClickHouse again when the journal is opened next.

        Raises:
            OSError: the disk is full.
        """
        begun = self._open_batches.get(batch.table)
        if begun is None or begun.token != batch.token:
            return
        if refused:
            self._refused.add([Refused(batch.table.number, batch.token, row.line, row.reason) for row in refused])
        self._staged.add(Finished(batch.table.number, begun.end), lambda _: self._leave(begun))

    def adopt(self, table: JournalTable, lines: Sequence[bytes], at: int, source: Adopted, token: str = "") -> None:
        """Take rows that another file held, once; there may be none.

        Args:
            table, lines, at: as in `append`.
            source: what of the file is in the journal after these rows.
            token: of the batch that they were, as which they may be in ClickHouse already; it counts only while no
                other row of the table waits.
        """
        first = self._next_number + self._staged.row_count
        self._stage_rows(table, lines, at, [])
        self._staged.add(source, lambda _: self.adopted.update({source.name: source.position}))
        if token and lines and not self._waiting[table].depth:
            self._stage_batch(table, Slice(first, first + len(lines), list(lines)), token)

    def commit(self) -> None:
        """Make what is staged durable.

        Raises:
            OSError: nothing of it was; it stays staged until `rollback`.
        """
        self._write()
        self._remove_passed()
        self._carry_forward()

    def rollback(self) -> None:
        """Forget what is staged."""
        self._staged.clear()

    def repair(self) -> None:
        """See that the next commit can succeed.

        Raises:
            OSError: the disk is still full or failing.
        """
        self._segments.repair()

    def renew(self, is_kept: Callable[[JournalTable, bytes], bool]) -> None:
        """Write what waits into a file of its own, without rows that are not to be kept, and remove every other file.

        Rows that were moved stay in the files until these are removed; afterwards nothing of them is left.

        Args:
            is_kept: tells whether a row is kept, by its table and its JSON.

        Raises:
            JournalFull: too many rows wait.
            OSError: the disk is full or failing; nothing was removed.
        """
        self.commit()
        waiting = {table: rows.all_rows(_RENEWED_BYTES) for table, rows in self._waiting.items() if rows.depth}
        if not all(waiting.values()):
            raise JournalFull("too many rows wait for ClickHouse", "bring ClickHouse back, and try again")
        try:
            # The position of what was adopted is known from these files alone.
            for name, position in self.adopted.items():
                self._staged.add(Adopted(name, position), lambda _: None)
            for table, rows in waiting.items():
                if rows is not None:
                    self._stage_again(table, rows, is_kept)
            self._segments.begin_anew()
            self._write()
            self.seen.sync()
        except OSError:
            self.rollback()
            raise
        self._segments.remove(self._segments.files[:-1])
        self._refused.keep_only(is_kept)

    def find(self, is_wanted: Callable[[JournalTable, bytes], bool]) -> list[tuple[JournalTable, bytes]]:
        """Return the rows that wait or were set aside, of those in memory, as far as they are wanted.

        Raises:
            JournalFull: too many rows wait.
        """
        found = []
        for table, rows in self._waiting.items():
            every = rows.all_rows(_RENEWED_BYTES) if rows.depth else None
            if rows.depth and every is None:
                raise JournalFull("too many rows wait for ClickHouse", "bring ClickHouse back, and try again")
            lines = [*(every.lines if every else ()), *self._refused.lines_of(table)]
            found += [(table, line) for line in lines if is_wanted(table, line)]
        return found

    def refusal(self, at: int, more: int = 0) -> str:
        """Return why `more` bytes of rows would be refused at `at` (epoch ms), or "" when they would be taken."""
        oldest = self.oldest_at()
        return self._limits.refusal(self.size + self._staged.size + more, at - oldest if oldest is not None else 0)

    def _write(self) -> None:
        if self._staged.records:
            position = self._segments.append(self._next_number, self._staged.records)
            self._next_number += self._staged.row_count
            for effect in self._staged.effects:
                effect(position)
        self._staged.clear()

    def _stage_rows(self, table: JournalTable, lines: Sequence[bytes], at: int, hashes: list[bytes]) -> None:
        if lines:
            rows = Rows(table.number, at, len(lines), b"".join(hashes), joined_lines(lines))
            first = self._next_number + self._staged.row_count
            self._staged.add_rows(rows, partial(self._arrive, table, rows, first, hashes))

    def _stage_batch(self, table: JournalTable, rows: Slice, token: str = "") -> JournalBatch:
        batch = JournalBatch(table, token or uuid.uuid4().hex, rows.first, rows.end, rows.lines)
        taken = TakenFrame(table.number, batch.token, batch.first, batch.end)
        self._staged.add(taken, lambda _: self._open_batches.update({table: batch}))
        self._staged.batches[table] = batch
        return batch

    def _arrive(
        self, table: JournalTable, rows: Rows, first: int, hashes: list[bytes], position: JournalPosition
    ) -> None:
        self._waiting[table].add(rows, first, position)
        if hashes:
            self.seen.add(hashes, rows.at)

    def _leave(self, batch: JournalBatch) -> None:
        self._open_batches.pop(batch.table, None)
        self._waiting[batch.table].finish(batch.end, len(batch.lines))

    def _remove_passed(self) -> None:
        """Remove the oldest segments when all their rows have left and their ids are durable elsewhere."""
        oldest = min((rows.oldest_number for rows in self._waiting.values() if rows.depth), default=self._next_number)
        passed = self._segments.passed(oldest)
        if passed and passed[-1].next_number > self.seen.synced:
            self.seen.begin_sync(self._next_number)
            passed = self._segments.passed(min(oldest, self.seen.synced))
        self._segments.remove(passed)

    def _carry_forward(self) -> None:
        """Write the few rows that keep the oldest segments again, so that a table that is refused fills no disk."""
        oldest = self._segments.files[:-_PINNED_SEGMENTS]
        pinning = [
            (table, rows.all_rows(self._limits.segment_bytes // 8))
            for table, rows in self._waiting.items()
            if oldest and rows.depth and rows.oldest_number < oldest[0].next_number
        ]
        if not all(rows for _, rows in pinning):
            return
        try:
            for table, rows in pinning:
                if rows is not None:
                    self._stage_again(table, rows)
            self._write()
        except OSError as error:
            self.rollback()
            _log.warning("rows_not_carried_forward", error=str(error))

    def _stage_again(
        self, table: JournalTable, rows: Slice, is_kept: Callable[[JournalTable, bytes], bool] | None = None
    ) -> None:
        waiting, open_batch = self._waiting[table], self._open_batches.get(table)
        first, at = self._next_number + self._staged.row_count, waiting.oldest_at or 0

        def kept(lines: list[bytes]) -> list[bytes]:
            return lines if is_kept is None else [line for line in lines if is_kept(table, line)]

        def leave(_: JournalPosition) -> None:
            self._open_batches.pop(table, None)
            waiting.finish(rows.end, len(rows.lines))

        self._staged.add(Finished(table.number, rows.end), leave)
        self._stage_rows(table, kept(rows.lines), at, [])
        if open_batch is not None and (begun := kept(open_batch.lines)):
            self._stage_batch(table, Slice(first, first + len(begun), begun), open_batch.token)

    def _resume(self, state: Replay) -> None:
        for table, rows in self._waiting.items():
            found = state.table(table.number)
            rows.resume(found.cursor, found.depth, JournalPosition(0, 0))
            begun = found.open_batch
            if begun is not None and (batch := rows.rows_before(begun.end)):
                self._open_batches[table] = JournalBatch(table, begun.token, batch.first, batch.end, batch.lines)
        try:
            self._take_back_refused()
        except OSError as error:
            self.rollback()
            _log.error("refused_rows_stay_aside", error=str(error), remedy="free disk space and start again")

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
