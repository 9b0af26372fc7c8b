"""Takes over the spool of an earlier version: its events, its open batch, and the ids of what waits in it, once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec
import structlog

from warehouse.errors import ConfigurationError
from warehouse.journal.frames import Adopted
from warehouse.journal.log import Journal
from warehouse.journal.tables import EVENTS, event_key

_ROWS_AT_ONCE: Final = 5_000
#: Seconds to wait for a process of the earlier version that is about to end.
_LOCK_WAIT_SECONDS: Final = 5.0
_NOTHING: Final = -1
#: SQLite's names for trouble that is not the file's.
_NOT_OURS: Final = frozenset({"SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_FULL"})
_log = structlog.get_logger("warehouse.journal.adoption")


def adopt_spool(journal: Journal, path: Path, now_ms: int) -> None:
    """Move the events of a `spool.sqlite` into the journal, and rename the file.

    A crash on the way leaves the file, and what of it is in the journal is known there: the next call goes on behind
    it. Call it before anything else is appended, taken or moved.

    Args:
        journal: the journal, used by no other thread.
        path: the file; when there is none, nothing is done.
        now_ms: epoch ms.

    Raises:
        ConfigurationError: another process uses the file, or there is no room for its events.
    """
    if path.exists():
        try:
            with closing(_open(path)) as spool:
                readable = [_adopt_ids(journal, spool, now_ms), _adopt_rows(journal, spool, path, now_ms)]
        except OSError as error:
            journal.rollback()
            raise _refusal(path, error, "free disk space under `data_folder`") from error
        path.rename(path.with_name(f"{path.name}.{'adopted' if all(readable) else 'damaged'}"))
    if path.name in journal.adopted:
        # Another file of this name, after a return to the earlier version, is another one.
        journal.adopt(EVENTS, [], now_ms, Adopted(path.name, _NOTHING))
        journal.commit()


def _open(path: Path) -> sqlite3.Connection:
    spool = sqlite3.connect(path, isolation_level=None, timeout=_LOCK_WAIT_SECONDS)
    try:
        spool.execute("PRAGMA locking_mode = EXCLUSIVE")
        spool.execute("BEGIN EXCLUSIVE")
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorname in _NOT_OURS:
            spool.close()
            raise _refusal(path, error, "end the process that uses it, and make its folder writable") from error
    return spool


class _Named(msgspec.Struct):
    site: str
    visitor_id: str
    event_id: str


def _adopt_ids(journal: Journal, spool: sqlite3.Connection, now_ms: int) -> bool:
    """Take over the ids of the rows; tell whether all of them could be read.

    The spool also remembers ids of rows that have left it, but not whose events they were, by which events are known
    now. Such an event that is sent once more is one row of ClickHouse again, which keeps rows by the same names.
    """
    try:
        for (text,) in spool.execute("SELECT line FROM event UNION ALL SELECT line FROM refused"):
            row = msgspec.json.decode(text, type=_Named)
            journal.seen.prepare(now_ms, 1)
            journal.seen.add(journal.seen.hash_ids([event_key(row.site, row.visitor_id, row.event_id)]), now_ms)
    except msgspec.MsgspecError as error:
        return _tell_damage(error)
    except sqlite3.DatabaseError as error:
        return _tell_damage(error)
    finally:
        journal.seen.sync()
    return True


def _adopt_rows(journal: Journal, spool: sqlite3.Connection, path: Path, now_ms: int) -> bool:
    """Take over the rows; tell whether all of them could be read."""
    try:
        for lines, position, token in _portions(spool, journal.adopted.get(path.name, _NOTHING)):
            journal.adopt(EVENTS, lines, now_ms, Adopted(path.name, position), token)
            journal.commit()
    except sqlite3.DatabaseError as error:
        return _tell_damage(error)
    return True


def _portions(spool: sqlite3.Connection, done: int) -> Iterator[tuple[list[bytes], int, str]]:
    """Yield rows behind position `done`, the position that they reach, and the token of the batch that they are.

    Rows before a damaged place are yielded before its error is raised.
    """
    lines: list[bytes] = []
    last, token, damage = done, "", None
    # In the order of the table itself: an index may be damaged elsewhere. The open batch are the oldest rows.
    rows = spool.execute(
        "SELECT seq, ifnull(batch, ''), line FROM event NOT INDEXED WHERE seq > ? ORDER BY seq", (done,)
    )
    try:
        for seq, batch, line in rows:
            if lines and (batch != token or (not token and len(lines) >= _ROWS_AT_ONCE)):
                yield lines, last, token
                lines = []
            lines.append(line)
            last, token = seq, batch
    except sqlite3.DatabaseError as error:
        damage = error
    if lines:
        yield lines, last, token
    if damage is not None:
        raise damage
    refused = [line for (line,) in spool.execute("SELECT line FROM refused")]
    (end,) = spool.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()
    if refused and done <= end:
        yield refused, end + 1, ""


def _tell_damage(error: Exception) -> bool:
    _log.error("spool_damaged", error=str(error), remedy="what was readable was taken over; the file is kept")
    return False


def _refusal(path: Path, error: Exception, remedy: str) -> ConfigurationError:
    return ConfigurationError(f"the spool {path} of the earlier version cannot be taken over: {error}", remedy)
