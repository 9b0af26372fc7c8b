"""Keeps acknowledged events on disk until ClickHouse has them: a SQLite file in WAL mode.

Not safe for threads: `collector.spool.group_commit` owns the one thread that uses it.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

import msgspec

from warehouse.errors import ConfigurationError, SpoolFull

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY AUTOINCREMENT, batch TEXT, line BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS event_batch ON event (batch, seq);
CREATE TABLE IF NOT EXISTS seen
(site TEXT, event_id TEXT, at INTEGER NOT NULL, PRIMARY KEY (site, event_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_at ON seen (at);
CREATE TABLE IF NOT EXISTS refused (line BLOB NOT NULL, reason TEXT NOT NULL);
-- ClickHouse, or our tables, may be another version now.
INSERT INTO event (line) SELECT line FROM refused;
DELETE FROM refused;
"""
#: Time for which an acknowledged id is remembered; a later repeat is recognised when it is read.
REMEMBERED_MS: Final = 72 * 3_600_000
#: Time for which another process, which is about to end, may still hold the file.
LOCK_WAIT_SECONDS: Final = 5.0
_FORGOTTEN_AT_ONCE: Final = 500  # old ids removed with each append, so that no append pays for all of them


class SpooledEvent(msgspec.Struct, frozen=True):
    """An event to keep: its identity, and its row as a JSON line."""

    site: str
    event_id: str
    line: bytes


class SpooledBatch(msgspec.Struct, frozen=True):
    """Rows that go to ClickHouse together, the same rows under the same token until they are stored."""

    token: str
    lines: list[bytes]


class RefusedRow(msgspec.Struct, frozen=True):
    """A row that ClickHouse cannot take, and its reason."""

    line: bytes
    reason: str


class Spool:
    """The events that were acknowledged and are not yet in ClickHouse.

    Args:
        path: the SQLite file; made with its folder when missing.
        max_events: most that may wait.

    Raises:
        ConfigurationError: the file cannot be opened or written.
    """

    def __init__(self, path: Path, max_events: int = 5_000_000) -> None:
        self._max_events = max_events
        self._database = _open(path)
        self.depth: int = self._database.execute("SELECT count(*) FROM event").fetchone()[0]
        self._open_batch: str | None = self._first("SELECT batch FROM event WHERE batch IS NOT NULL LIMIT 1")

    @property
    def is_full(self) -> bool:
        """Tell whether as many events wait as may wait."""
        return self.depth >= self._max_events

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def begin(self) -> None:
        """Open a transaction; all later changes are lost unless `commit` returns."""
        self._database.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Write all changes since `begin` to disk."""
        self._database.commit()

    def rollback(self) -> None:
        """Undo all changes since `begin`."""
        self._database.rollback()
        self.depth = self._database.execute("SELECT count(*) FROM event").fetchone()[0]
        self._open_batch = self._first("SELECT batch FROM event WHERE batch IS NOT NULL LIMIT 1")

    def append(self, events: Sequence[SpooledEvent], now_ms: int) -> list[SpooledEvent]:
        """Take events, all or none of them.

        Args:
            events: in the order in which they arrived.
            now_ms: epoch milliseconds.

        Returns:
            The events whose id was acknowledged before, which are not taken again.

        Raises:
            SpoolFull: there is no room for all of them.
        """
        if self.depth + len(events) > self._max_events:
            raise SpoolFull(
                f"{self.depth} events wait for ClickHouse, the most the spool may hold",
                "bring ClickHouse back, or raise `spool_max_events`",
            )
        repeated = [event for event in events if not self._remember(event, now_ms)]
        known = set(map(id, repeated))
        lines = [(event.line,) for event in events if id(event) not in known]
        self._database.executemany("INSERT INTO event (line) VALUES (?)", lines)
        self.depth += len(lines)
        self._forget(now_ms - REMEMBERED_MS)
        return repeated

    def take(self, limit: int) -> SpooledBatch | None:
        """Return the batch to insert next, or None: the batch that was begun, else a new one of the oldest events."""
        if self._open_batch is None:
            token = uuid.uuid4().hex
            oldest = "SELECT seq FROM event WHERE batch IS NULL ORDER BY seq LIMIT ?"
            taken = self._database.execute(f"UPDATE event SET batch = ? WHERE seq IN ({oldest})", (token, limit))  # noqa: S608 - constant text
            if not taken.rowcount:
                return None
            self._open_batch = token
        rows = self._database.execute("SELECT line FROM event WHERE batch = ? ORDER BY seq", (self._open_batch,))
        return SpooledBatch(self._open_batch, [line for (line,) in rows])

    def finish(self, batch: SpooledBatch, refused: Sequence[RefusedRow] = ()) -> None:
        """Forget a batch that ClickHouse has, but set aside the rows that it refused.

        Refused rows are in the table `refused` of the file, and wait for ClickHouse again when it is opened next.
        """
        aside = [(row.line, row.reason) for row in refused]
        self._database.executemany("INSERT INTO refused VALUES (?, ?)", aside)
        self._database.execute("DELETE FROM event WHERE batch = ?", (batch.token,))
        self.depth -= len(batch.lines)
        self._open_batch = None

    def _remember(self, event: SpooledEvent, now_ms: int) -> bool:
        new = self._database.execute(
            "INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (event.site, event.event_id, now_ms)
        )
        return new.rowcount == 1

    def _forget(self, before_ms: int) -> None:
        old = "SELECT site, event_id FROM seen WHERE at < ? LIMIT ?"
        self._database.execute(
            f"DELETE FROM seen WHERE (site, event_id) IN ({old})",  # noqa: S608 - constant text
            (before_ms, _FORGOTTEN_AT_ONCE),
        )

    def _first(self, sql: str) -> str | None:
        row = self._database.execute(sql).fetchone()
        return row[0] if row else None


def _open(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Transactions are begun by hand, and one thread at a time uses the connection (see group_commit).
        database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=LOCK_WAIT_SECONDS)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        # The process with this lock owns the file: two collectors on one spool would each send the same batch.
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.executescript(_SCHEMA)
    except (OSError, sqlite3.Error) as error:
        raise ConfigurationError(
            f"the spool {path} cannot be opened: {error}",
            "make its folder writable and see that no other collector uses it, or name another `data_folder`",
        ) from error
    return database
