"""Keeps the rows of an import on disk while ClickHouse takes them: a process may be killed at any instant.

ClickHouse stores the rows of an insert first, and then what follows from them, such as who is who. An insert that was
cut off in between is therefore made again, with the same token: ClickHouse knows what it has, and adds what is missing.
"""

from __future__ import annotations

import fcntl
import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Final

import msgspec

from micromoment.engine.client import Transfer
from warehouse.errors import ConfigurationError
from warehouse.event import EventRow
from warehouse.own_event import history_notice

#: The names of the files: an import that goes on holds a lock on its own.
PENDING_FILES: Final = "import-*.rows"
_encode: Final = msgspec.json.Encoder().encode


class _Head(msgspec.Struct):
    """The first line of a file: the token of the insert, and how many bytes its rows have."""

    token: str
    size: int


class PendingRows:
    """The rows of `events` that are on their way to ClickHouse.

    Args:
        engine: the ClickHouse database.
        file: the file that holds them, empty while there are none; None to keep them nowhere.
    """

    def __init__(self, engine: Transfer, file: IO[bytes] | None) -> None:
        self._engine = engine
        self._file = file

    def insert(self, lines: bytes) -> None:
        """Insert rows, which are on disk until they are in ClickHouse with all that follows from them.

        Cost: one insert.

        Raises:
            WarehouseError: ClickHouse did not take them; they stay on disk.
        """
        token = hashlib.sha256(lines).hexdigest()
        if self._file is not None:
            _write(self._file, _encode(_Head(token, len(lines))) + b"\n", lines)
        self._engine.insert_lines("events", lines, token)
        if self._file is not None:
            _write(self._file)


@contextmanager
def pending_rows(engine: Transfer, folder: Path | None, may_store: Callable[[bytes], bool]) -> Iterator[PendingRows]:
    """Make the inserts again that were cut off, and yield what makes further ones.

    Cost: one insert for each import of before that was killed.

    Args:
        engine: the ClickHouse database.
        folder: the data folder; None to keep rows nowhere.
        may_store: tells whether a row may be stored still, as its person may have been erased.

    Raises:
        WarehouseError: ClickHouse does not take the rows of before.
        ConfigurationError: the folder cannot be written.
    """
    if folder is None:
        yield PendingRows(engine, None)
        return
    path, file = _opened(engine, folder, may_store)
    with file:
        yield PendingRows(engine, file)
        # After an error the rows stay there for the next import.
        path.unlink(missing_ok=True)


def _opened(engine: Transfer, folder: Path, may_store: Callable[[bytes], bool]) -> tuple[Path, IO[bytes]]:
    """Finish what is left in a folder, and return the path of a new file in it, and the file."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in sorted(folder.glob(PENDING_FILES)):
            _finish(engine, left, may_store)
        file = NamedTemporaryFile(prefix="import-", dir=folder, delete=False)  # noqa: SIM115 - returned
        # It gets its name once it is locked, so that nobody takes it for one that was left.
        fcntl.flock(file, fcntl.LOCK_EX)
        return Path(file.name).rename(f"{file.name}.rows"), file
    except OSError as error:
        reason = f"the data folder {folder} cannot be written: {error.strerror or error}"
        raise ConfigurationError(reason, "make it writable, or name another in `data_folder`") from error


def _write(file: IO[bytes], *parts: bytes) -> None:
    file.seek(0)
    file.truncate(0)
    file.writelines(parts)
    file.flush()


def _finish(engine: Transfer, path: Path, may_store: Callable[[bytes], bool]) -> None:
    """Make an insert again that was cut off, unless its import goes on."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return
        head, lines = file.readline(), file.read()
        cut_off = _cut_off(head, lines)
        left = [line for line in lines.split(b"\n") if may_store(line)] if cut_off is not None else []
        if cut_off is not None and left:
            engine.insert_lines("events", b"\n".join(left), cut_off.token)
            tell_workers(engine, msgspec.json.decode(left[0], type=EventRow).site)
        path.unlink(missing_ok=True)


def tell_workers(engine: Transfer, site: str) -> None:
    """Have workers read the people of a site anew.

    Cost: one insert of one row.
    """
    notice = _encode(history_notice(site, time.time_ns() // 1_000_000))
    engine.insert_lines("event_feed", notice, hashlib.sha256(notice).hexdigest())


def _cut_off(head: bytes, lines: bytes) -> _Head | None:
    """Return the insert that a file tells of; None where it was not written to its end, so that no insert had begun."""
    try:
        told = msgspec.json.decode(head, type=_Head)
    except msgspec.MsgspecError:
        return None
    return told if told.size == len(lines) else None
