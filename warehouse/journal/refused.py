"""The journal's files of rows that ClickHouse cannot take as they are."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from warehouse.journal.folder import JournalFolder, open_private
from warehouse.journal.frames import Frame, Refused, encode_frame, read_frames
from warehouse.journal.tables import TABLES, JournalTable

_REFUSED_ENDING: Final = ".refused"


class RefusedRows:
    """The folder's files of refused rows.

    Each process writes a file of its own, so that the next one knows which of them it has taken back.

    Args:
        folder: where they are.
    """

    def __init__(self, folder: JournalFolder) -> None:
        self._folder = folder
        self._path = folder.path / f"{uuid.uuid4().hex}{_REFUSED_ENDING}"
        self._earlier = sorted(path.name for path in folder.path.glob(f"*{_REFUSED_ENDING}"))

    def add(self, rows: Sequence[Refused]) -> None:
        """Keep rows; they are durable when this returns.

        Raises:
            OSError: they are not kept.
        """
        is_new = not self._path.exists()
        with open(self._path, "ab", opener=open_private) as file:
            file.write(encode_frame(0, list(rows)))
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            self._folder.sync()

    def earlier(self) -> Iterator[tuple[str, list[Refused]]]:
        """Yield the files of earlier processes by name, each with its rows, a row that was kept twice once."""
        for name in self._earlier:
            rows = {(each.table, each.line): each for each in _rows_of(self._folder.path / name)}
            yield name, list(rows.values())

    def lines_of(self, table: JournalTable) -> list[bytes]:
        """Return the rows of a table that this process set aside."""
        return [row.line for row in _rows_of(self._path) if row.table == table.number]

    def keep_only(self, is_kept: Callable[[JournalTable, bytes], bool]) -> None:
        """Write the rows that this process set aside again, without those that are not to be kept.

        Raises:
            OSError: they are as they were.
        """
        tables = {table.number: table for table in TABLES}
        rows = _rows_of(self._path)
        kept = [row for row in rows if row.table not in tables or is_kept(tables[row.table], row.line)]
        if len(kept) == len(rows):
            return
        draft = self._path.with_suffix(".draft")
        with open(draft, "wb", opener=open_private) as file:
            file.write(encode_frame(0, kept) if kept else b"")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
        self._folder.sync()

    def remove(self, name: str) -> None:
        """Remove a file of an earlier process, whose rows are in the journal."""
        (self._folder.path / name).unlink(missing_ok=True)
        self._folder.sync()


def _rows_of(path: Path) -> list[Refused]:
    """Return the rows in a file, none where there is no file."""
    if not path.exists():
        return []
    frames = read_frames(path.read_bytes())
    records = [record for frame in frames if isinstance(frame, Frame) for record in frame.records]
    return [record for record in records if isinstance(record, Refused)]
