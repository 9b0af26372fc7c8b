"""The journal against a plain model of it, with crashes at any byte, power cuts, and disks that fail."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.warehouse.journal.journals import NOON, SMALL_SEGMENT, failing_disk, key
from warehouse.journal import folder, log, seen
from warehouse.journal.frames import Rows
from warehouse.journal.log import Journal
from warehouse.journal.seen import DAY_MS
from warehouse.journal.segments import JournalPosition
from warehouse.journal.tables import EVENTS, FIRES, MESSAGES, JournalBatch, JournalLimits, JournalTable, RowSetAside

TABLES = st.sampled_from([EVENTS, FIRES, MESSAGES])
NAMES = st.lists(st.integers(0, 400).map(str), min_size=1, max_size=8)
SHARES = st.floats(0, 1)
LIMITS = JournalLimits(memory_bytes=300, segment_bytes=SMALL_SEGMENT, max_age_ms=10_000 * DAY_MS)


class Model:
    """What the journal should hold."""

    def __init__(self) -> None:
        self.waiting: dict[JournalTable, list[bytes]] = {EVENTS: [], FIRES: [], MESSAGES: []}
        self.open: dict[JournalTable, JournalBatch] = {}
        self.aside: list[tuple[JournalTable, bytes]] = []
        self.ids: dict[str, int] = {}

    def take_back(self) -> None:
        """Let the rows that were set aside wait again, as they do at a start."""
        for table in self.waiting:
            self.waiting[table] += [line for where, line in self.aside if where is table]
        self.aside = []

    def copy(self) -> Model:
        other = Model()
        other.waiting = {table: list(rows) for table, rows in self.waiting.items()}
        other.open, other.aside, other.ids = dict(self.open), list(self.aside), dict(self.ids)
        return other


class JournalMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        memory = Path("/dev/shm")
        self.path = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
        self.patches = ExitStack()
        self.patches.enter_context(patch.object(seen, "_MIN_PLACES", 8))
        self.patches.enter_context(patch.object(log, "_PINNED_SEGMENTS", 1))
        self.patches.enter_context(patch.object(folder, "LOCK_WAIT_SECONDS", 0.0))
        self.disk = self.patches.enter_context(failing_disk())
        self.now = NOON
        self.count = 0
        self.model = Model()
        #: What the journal may be as well when it is opened next: a write that failed may have been whole.
        self.doubts: list[Model] = []
        self.durable_ids: dict[str, bytes] = {}
        self.journal: Journal

    @initialize()
    def open(self) -> None:
        self.journal = Journal(self.path, LIMITS)
        candidates = [self.model, *self.doubts]
        for model in candidates:
            model.take_back()
        found = self.contents()
        self.model = next(model for model in candidates if model.waiting == found)
        self.doubts = []

    def contents(self) -> dict[JournalTable, list[bytes]]:
        """Return the rows that the journal's files say wait."""
        found: dict[JournalTable, list[bytes]] = {table: [] for table in self.model.waiting}
        for frame, _ in self.journal._segments.read(JournalPosition(0, 0)):
            number = frame.number
            for record in frame.records:
                if isinstance(record, Rows):
                    for line in record.lines.split(b"\n"):
                        for table, rows in found.items():
                            if table.number == record.table and number >= self.journal._waiting[table].cursor:
                                rows.append(line)
                        number += 1
        return found

    def teardown(self) -> None:
        try:
            if hasattr(self, "journal"):
                self.disk.is_full = False
                self.drain()
                self.journal.__exit__()
        finally:
            self.patches.close()
            shutil.rmtree(self.path)

    # --- what callers do: each returns what the model is after it

    def staged_append(self, table: JournalTable, names: list[str]) -> Model:
        """Append rows; those of `events` have ids, of which some come again."""
        after = self.model.copy()
        if table is not EVENTS:
            rows = [self.unique(name) for name in names]
            self.journal.append(table, rows, self.now)
            after.waiting[table] += rows
            return after
        rows = [self.unique(name) for name in names]
        repeated = self.journal.append(table, rows, self.now, [key(name) for name in names])
        for index, (name, row) in enumerate(zip(names, rows, strict=True)):
            # Ids are forgotten by the day, some hours after they may be; until then either answer is right.
            is_known = name in after.ids and self.now - after.ids[name] <= 3 * DAY_MS
            is_old = name in after.ids and not is_known
            assert is_old or (index in repeated) == is_known
            if index not in repeated:
                after.waiting[table].append(row)
                after.ids[name] = self.now
        return after

    def staged_take(self, table: JournalTable, limit: int) -> Model:
        after = self.model.copy()
        batch = self.journal.take(table, limit)
        if batch is None:
            assert not after.waiting[table]
            return after
        if table in after.open:
            assert (batch.token, batch.lines) == (after.open[table].token, after.open[table].lines)
        assert batch.lines == after.waiting[table][: len(batch.lines)]
        assert table in after.open or len(batch.lines) <= limit
        after.open[table] = batch
        return after

    def staged_finish(self, table: JournalTable, refused: int) -> Model:
        after = self.model.copy()
        batch = after.open.pop(table)
        rows = [RowSetAside(line, "no") for line in batch.lines[:refused]]
        self.journal.finish(batch, rows)
        after.aside += [(table, row.line) for row in rows]
        del after.waiting[table][: len(batch.lines)]
        return after

    def staged_shrink(self, table: JournalTable) -> Model:
        after = self.model.copy()
        whole = after.open[table]
        after.open[table] = half = self.journal.shrink(whole)
        assert half.lines == whole.lines[: len(whole.lines) // 2]
        assert half.token != whole.token
        return after

    def unique(self, name: str) -> bytes:
        self.count += 1
        return f"{name}#{self.count}".encode()

    # --- rules

    @rule(table=TABLES, names=NAMES)
    def append(self, table: JournalTable, names: list[str]) -> None:
        self.commit(self.staged_append(table, names))

    @rule(table=TABLES, limit=st.integers(1, 12))
    def take(self, table: JournalTable, limit: int) -> None:
        self.commit(self.staged_take(table, limit))

    @rule(data=st.data(), refused=st.integers(0, 2))
    @precondition(lambda self: self.model.open)
    def finish(self, data: st.DataObject, refused: int) -> None:
        self.commit(self.staged_finish(self.an_open_table(data), refused))

    @rule(data=st.data())
    @precondition(lambda self: any(len(batch.lines) > 1 for batch in self.model.open.values()))
    def shrink(self, data: st.DataObject) -> None:
        table = self.an_open_table(data)
        if len(self.model.open[table].lines) > 1:
            self.commit(self.staged_shrink(table))

    @rule(hours=st.integers(1, 30))
    def pass_time(self, hours: int) -> None:
        self.now += hours * 3_600_000

    @rule(table=TABLES, names=NAMES)
    def change_ones_mind(self, table: JournalTable, names: list[str]) -> None:
        self.staged_append(table, names)
        self.journal.rollback()

    @rule(table=TABLES, names=NAMES, share=st.one_of(SHARES, st.just(1.0)))
    def fail_to_write(self, table: JournalTable, names: list[str], share: float) -> None:
        self.doubts.append(self.staged_append(table, names))
        self.commit_fails(share)

    @rule(is_full=st.booleans())
    def fill_disk(self, is_full: bool) -> None:
        self.disk.is_full = is_full

    @rule()
    def open_again(self) -> None:
        self.journal.__exit__()
        self.open()

    @rule(data=st.data(), table=TABLES, names=NAMES, share=SHARES, loses_power=st.booleans())
    def crash(
        self, data: st.DataObject, table: JournalTable, names: list[str], share: float, loses_power: bool
    ) -> None:
        """End in the middle of a write, whose end is cut off or garbled; a write that was whole may be there."""
        after = self.staged_append(table, names)
        finishes = data.draw(st.booleans())
        if self.model.open and finishes:
            self.journal.rollback()
            after = self.staged_finish(self.an_open_table(data), data.draw(st.integers(0, 2)))
        self.doubts.append(after)
        self.commit_fails(share)
        if data.draw(st.booleans()):
            self.garble(data)
        self.journal.__exit__()
        if loses_power:
            self.lose_unsynced_ids()
        self.open()

    def garble(self, data: st.DataObject) -> None:
        files = self.journal._segments.files
        if files and self.journal._segments._has_doubtful_end:
            with (self.path / files[-1].name).open("r+b") as file:
                file.seek(files[-1].end)
                file.write(data.draw(st.binary(max_size=60)))

    @invariant()
    def the_journal_is_like_the_model(self) -> None:
        if hasattr(self, "journal"):
            assert self.is_like_model()
            oldest = [table for table in self.model.waiting if self.model.waiting[table]]
            assert (self.journal.oldest_at() is None) == (not oldest)

    def is_like_model(self) -> bool:
        return all(self.journal.depth(table) == len(rows) for table, rows in self.model.waiting.items())

    # --- helpers

    def an_open_table(self, data: st.DataObject) -> JournalTable:
        return data.draw(st.sampled_from(sorted(self.model.open, key=lambda table: table.number)))

    def commit(self, after: Model) -> None:
        is_written = bool(self.journal._staged.records)
        try:
            self.journal.commit()
        except OSError:
            assert self.disk.is_full
            self.journal.rollback()
            return
        self.model = after
        if is_written:
            self.doubts = []
        self.note_synced_ids()

    def commit_fails(self, share: float) -> None:
        """Commit while the disk fails after a share of what is written; nothing is written when all rows are known."""
        self.disk.fails_after = share
        try:
            self.journal.commit()
        except OSError:
            self.journal.rollback()
        else:
            self.doubts.pop()
            assert self.disk.fails_after is not None
        self.disk.fails_after = None

    def note_synced_ids(self) -> None:
        if self.journal.seen._sync is not None and self.journal.seen._sync.is_alive():
            self.journal.seen._sync.join()
        if self.journal.seen._sync is not None and not self.journal.seen._is_dirty:
            self.durable_ids = {path.name: path.read_bytes() for path in self.path.glob("seen-*.ids")}

    def lose_unsynced_ids(self) -> None:
        """Put the files of ids back to what the disk has for certain."""
        for path in self.path.glob("seen-*.ids"):
            size = path.stat().st_size
            header = path.read_bytes()[: seen._HEADER_BYTES]
            path.write_bytes(self.durable_ids.get(path.name, header + bytes(size - len(header))))

    def drain(self) -> None:
        found: dict[JournalTable, list[bytes]] = {}
        for table in self.model.waiting:
            while (batch := self.journal.take(table, 3)) is not None:
                self.journal.commit()
                found.setdefault(table, []).extend(batch.lines)
                self.journal.finish(batch)
                self.journal.commit()
        assert found == {table: rows for table, rows in self.model.waiting.items() if rows}


JournalMachine.TestCase.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)
TestJournal: Callable[..., object] = JournalMachine.TestCase
