"""The rows that ClickHouse refused: in a file of their own, until they are tried again at the next start."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Sequence
from typing import Final

from warehouse.journal.folder import JournalFolder
from warehouse.journal.frames import Frame, Refused, encode_frame, read_frames

_ENDING: Final = ".refused"


class RefusedRows:
    """The folder's files of refused rows.

    Each process writes a file of its own, so that the next one knows which of them it has taken back.

    Args:
        folder: where they are.
    """

    def __init__(self, folder: JournalFolder) -> None:
        self._folder = folder
        self._path = folder.path / f"{uuid.uuid4().hex}{_ENDING}"
        self._earlier = sorted(path.name for path in folder.path.glob(f"*{_ENDING}"))

    def add(self, rows: Sequence[Refused]) -> None:
        """Keep rows; they are durable when this returns.

        Raises:
            OSError: they are not kept.
        """
        is_new = not self._path.exists()
        with self._path.open("ab") as file:
            file.write(encode_frame(0, list(rows)))
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            self._folder.sync()

    def earlier(self) -> Iterator[tuple[str, list[Refused]]]:
        """Yield the files of earlier processes by name, each with its rows, a row that was kept twice once."""
        for name in self._earlier:
            frames = read_frames((self._folder.path / name).read_bytes())
            records = [record for frame in frames if isinstance(frame, Frame) for record in frame.records]
            rows = {(each.table, each.line): each for each in records if isinstance(each, Refused)}
            yield name, list(rows.values())

    def remove(self, name: str) -> None:
        """Remove a file of an earlier process, whose rows are in the journal."""
        (self._folder.path / name).unlink(missing_ok=True)
        self._folder.sync()
