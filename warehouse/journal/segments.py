"""The journal's files: frames are appended to the last segment, and read back from any place of any segment.

A segment's space is reserved when it is made, so that a disk that fills up is found out between two segments. The last
bytes of each are for small frames alone (batches that are taken and finished): with them the journal still drains
while the disk is full.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final, NamedTuple

import structlog

from warehouse.journal.folder import JournalFolder, allocate
from warehouse.journal.frames import Damage, Frame, Record, encode_frame, read_frames

#: Bytes at the end of a segment for frames of `DRAINING_BYTES` at most: about 600 batches taken and finished.
RESERVE_BYTES: Final = 64 * 1024
DRAINING_BYTES: Final = 1024
_ENDING: Final = ".segment"
_log = structlog.get_logger("warehouse.journal.segments")


class JournalPosition(NamedTuple):
    """A place between two frames."""

    segment: int
    offset: int


class Segment:
    """One file.

    Args:
        number: its place among the files, from 1.
        capacity: bytes reserved for it.
    """

    def __init__(self, number: int, capacity: int) -> None:
        self.number = number
        self.capacity = capacity
        #: Where the last durable frame ends.
        self.end = 0
        #: Number of the first row that is in no earlier segment nor in this one.
        self.next_number = 0
        self.is_damaged = False

    @property
    def name(self) -> str:
        """The file's name."""
        return f"{self.number:012d}{_ENDING}"


class Segments:
    """All segments of a folder, in order.

    Args:
        folder: where they are.
        segment_bytes: size of a new one; a larger frame gets a segment of its size.
    """

    def __init__(self, folder: JournalFolder, segment_bytes: int) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        self.files = [Segment(int(path.stem), path.stat().st_size) for path in sorted(folder.path.glob(f"*{_ENDING}"))]
        #: Bytes of all frames.
        self.bytes = 0
        self._last_number = self.files[-1].number if self.files else 0
        self._handle: int | None = None
        self._has_doubtful_end = False

    @property
    def end(self) -> JournalPosition:
        """The place behind the last durable frame."""
        return JournalPosition(self.files[-1].number, self.files[-1].end) if self.files else JournalPosition(0, 0)

    def recover(self) -> Iterator[Frame]:
        """Yield every good frame at start; damaged files are set aside and told in the log."""
        for segment in list(self.files):
            is_last = segment is self.files[-1]
            damages: list[Damage] = []
            for found in read_frames(self._read(segment, 0, segment.capacity)):
                if isinstance(found, Damage):
                    damages.append(found)
                    continue
                segment.end, segment.next_number = found.end, found.number + _row_count(found)
                yield found
            self.bytes += segment.end
            self._tell(segment, damages, is_last=is_last)

    def append(self, number: int, records: list[Record]) -> JournalPosition:
        """Write one frame and wait until it is durable; return where it begins.

        Raises:
            OSError: nothing was appended.
        """
        frame = encode_frame(number, records)
        segment = self._with_room(len(frame))
        begin = segment.end
        self._has_doubtful_end = True
        self._write(frame, begin)
        self._has_doubtful_end = False
        segment.end = begin + len(frame)
        self.bytes += len(frame)
        segment.next_number = number + sum(getattr(record, "count", 0) for record in records)
        return JournalPosition(segment.number, begin)

    def repair(self) -> None:
        """Undo what a failed write may have left, and see that there is room for the next frame.

        Raises:
            OSError: the disk is still full or failing.
        """
        self._with_room(DRAINING_BYTES + 1)

    def read(self, position: JournalPosition) -> Iterator[tuple[Frame, JournalPosition]]:
        """Yield the durable frames from a place on, each with the place behind it."""
        for segment in self.files:
            if segment.number < position.segment:
                continue
            offset = position.offset if segment.number == position.segment else 0
            for found in read_frames(self._read(segment, offset, segment.end)):
                if isinstance(found, Frame):
                    yield found, JournalPosition(segment.number, offset + found.end)

    def passed(self, number: int) -> list[Segment]:
        """Return the oldest segments, never the last one, all of whose rows come before row `number`."""
        found: list[Segment] = []
        for segment in self.files[:-1]:
            if segment.next_number > number:
                break
            found.append(segment)
        return found

    def begin_anew(self) -> None:
        """Begin a segment for all that follows.

        Raises:
            OSError: there is no room for it.
        """
        self._begin(self._segment_bytes)
        self._has_doubtful_end = False

    def remove(self, segments: list[Segment]) -> None:
        """Remove segments, which are the oldest; a failure is told in the log."""
        try:
            for segment in segments:
                (self._folder.path / segment.name).unlink(missing_ok=True)
                self.files.remove(segment)
                self.bytes -= segment.end
            if segments:
                self._folder.sync()
        except OSError as error:
            _log.warning("segments_not_removed", error=str(error))

    def close(self) -> None:
        """Close the file that is written to."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _with_room(self, size: int) -> Segment:
        """Return the segment to append `size` bytes to, which has a clean end and is open."""
        if self._has_doubtful_end:
            self._clean_end(self.files[-1])
        segment = self.files[-1] if self.files else None
        reserve = 0 if size <= DRAINING_BYTES else RESERVE_BYTES
        if segment is None or segment.is_damaged or segment.end + size + reserve > segment.capacity:
            segment = self._begin(max(self._segment_bytes, size + RESERVE_BYTES))
        self._open(segment)
        return segment

    def _clean_end(self, segment: Segment) -> None:
        """Overwrite what a failed or cut write left, which might be a whole frame whose sender was told otherwise."""
        self._open(segment)
        self._write(bytes(segment.capacity - segment.end), segment.end)
        self._has_doubtful_end = False

    def _open(self, segment: Segment) -> None:
        if self._handle is None:
            self._handle = os.open(self._folder.path / segment.name, os.O_RDWR | os.O_CLOEXEC)

    def _begin(self, capacity: int) -> Segment:
        segment = Segment(self._last_number + 1, capacity)
        path = self._folder.path / segment.name
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            allocate(handle, capacity)
            self._folder.sync()
        except OSError:
            os.close(handle)
            path.unlink()
            raise
        self.close()
        self._handle, self._last_number = handle, segment.number
        segment.next_number = self.files[-1].next_number if self.files else 0
        self.files.append(segment)
        return segment

    def _write(self, data: bytes, offset: int) -> None:
        assert self._handle is not None  # noqa: S101 - opened by `_with_room`
        view = memoryview(data)
        while view:
            written = os.pwrite(self._handle, view, offset)
            view, offset = view[written:], offset + written
        sync_data(self._handle)

    def _read(self, segment: Segment, offset: int, end: int) -> bytes:
        with (self._folder.path / segment.name).open("rb") as file:
            file.seek(offset)
            return file.read(end - offset)

    def _tell(self, segment: Segment, damages: list[Damage], *, is_last: bool) -> None:
        """Say what of a segment cannot be read; at the end of the last one it is what a crash left of a commit."""
        torn = is_last and len(damages) == 1 and damages[0].offset == segment.end
        if torn:
            self._has_doubtful_end = True
            _log.warning("journal_end_cut", file=segment.name, bytes=damages[0].end - damages[0].offset)
        elif damages:
            segment.is_damaged = True
            self._folder.set_aside(segment.name, keep=True)
            _log.error(
                "journal_damaged",
                file=str(self._folder.path / segment.name),
                lost_bytes=sum(damage.end - damage.offset for damage in damages),
                remedy="what was readable goes on; a copy of the file is in the folder `damaged`; check the disk",
            )


def sync_data(handle: int) -> None:
    """Wait until what was written to a file is durable."""
    getattr(os, "fdatasync", os.fsync)(handle)


def _row_count(frame: Frame) -> int:
    return sum(getattr(record, "count", 0) for record in frame.records)
