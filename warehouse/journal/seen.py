"""The ids of acknowledged events, remembered for 72 h: a repeat within that time is recognised.

Ids are kept by their day of receipt, each day in files of its own that are removed whole. A file is a hash table in
memory-mapped pages, 8 bytes for an id: an id is looked up by half of its 128-bit hash at a place given by the other
half, so that two ids are taken for one with a chance of 2^-64 for each id near that place. Nothing here waits for
the disk: after a crash the ids that the files lack are read from the journal, whose segments stay until `synced`
says that the files have theirs.
"""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import struct
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final
from zlib import crc32

import structlog

from warehouse.journal.folder import JournalFolder, allocate, open_private
from warehouse.journal.frames import ID_BYTES
from warehouse.journal.segments import sync_data

DAY_MS: Final = 86_400_000
#: Days before today of which an id may be younger than 72 h.
REMEMBERED_DAYS: Final = 3
_MIN_PLACES: Final = 1 << 18
_HEADER_BYTES: Final = 4096
_HEADER: Final = struct.Struct("<8s16sQI")  # magic, salt, places, CRC-32 of these
_MAGIC: Final = b"mmseen\x00\x01"
_SALT_BYTES: Final = 16
_SAMPLE: Final = 1 << 16
_halves = struct.Struct("<QQ").unpack
_log = structlog.get_logger("warehouse.journal.seen")


class _IdTable:
    """One file: an open-addressing hash table of 64-bit marks, 0 where there is none; at most half full."""

    def __init__(self, path: Path, places: int, salt: bytes | None) -> None:
        """Open a file, or make one when a salt is given."""
        self.path = path
        self.index = int(path.stem.split("-")[2])
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT | os.O_EXCL if salt is not None else 0)
        self.handle = os.open(path, flags, 0o600)
        try:
            if salt is not None:
                allocate(self.handle, _HEADER_BYTES + 8 * places)
                os.pwrite(self.handle, _header(salt, places), 0)
                sync_data(self.handle)
            self.salt, self.places = _read_header(self.handle)
            self._map = mmap.mmap(self.handle, _HEADER_BYTES + 8 * self.places)
        except (OSError, ValueError):
            os.close(self.handle)
            raise
        self.marks = memoryview(self._map)[_HEADER_BYTES:].cast("Q")
        self.count = 0 if salt is not None else self._estimated_count()

    def add(self, place: int, mark: int) -> None:
        """Remember an id."""
        marks, places = self.marks, self.places
        place %= places
        while found := marks[place]:
            if found == mark:
                return
            place = place + 1 if place + 1 < places else 0
        marks[place] = mark
        self.count += 1

    def close(self) -> None:
        """Let go of the file."""
        self.marks.release()
        self._map.close()
        os.close(self.handle)

    def _estimated_count(self) -> int:
        """Return about how many ids the file has, by a sample: hashed ids lie evenly."""
        sample = self.marks[:_SAMPLE].tolist()
        return (len(sample) - sample.count(0)) * self.places // len(sample)


class SeenIds:
    """Every acknowledged id of the last 72 h, and up to a day more.

    Args:
        folder: where the files are.
    """

    def __init__(self, folder: JournalFolder) -> None:
        self._folder = folder
        self._days: dict[int, list[_IdTable]] = {}
        #: Every id of a row before this number is durable here.
        self.synced = 0
        self._is_dirty = False
        self._sync: threading.Thread | None = None
        self._salt = _kept_salt(folder)
        for path in sorted(folder.path.glob("seen-*.ids")):
            self._open(path)
        self._hash = hashlib.blake2b(digest_size=ID_BYTES, salt=self._salt)

    def hash_ids(self, ids: Iterable[bytes]) -> list[bytes]:
        """Return the hashes under which ids are kept; nobody outside can aim at equal ones."""
        hashes = []
        for each in ids:
            state = self._hash.copy()
            state.update(each)
            hashes.append(state.digest())
        return hashes

    def prepare(self, at: int, count: int) -> None:
        """See that `add` of as many ids received at `at` (epoch ms) will find room; forget days that are over.

        Raises:
            OSError: the disk is full.
        """
        day = at // DAY_MS
        tables = self._days.get(day)
        if tables is None:
            self._forget(day - REMEMBERED_DAYS)
            before = sum(table.count for table in self._days.get(day - 1, ()))
            tables = self._days.setdefault(day, [self._make(day, 0, max(_MIN_PLACES, before * 5 // 2))])
        last = tables[-1]
        if 2 * (last.count + count) > last.places:
            try:
                tables.append(self._make(day, last.index + 1, 4 * max(last.places, count)))
            except OSError:
                # While the disk is full, the table is filled further and answers more slowly.
                if 8 * (last.count + count) > 7 * last.places:
                    raise

    def known(self, hashes: Sequence[bytes]) -> set[bytes]:
        """Return those of the ids that were added before."""
        halves = [(*_halves(each), each) for each in hashes]
        found = set()
        for table in (table for day in self._days.values() for table in day):
            marks, places = table.marks, table.places
            for start, mark, each in halves:
                place = start % places
                while there := marks[place]:
                    if there == mark:
                        found.add(each)
                        break
                    place = place + 1 if place + 1 < places else 0
        return found

    def add(self, hashes: Iterable[bytes], at: int) -> None:
        """Remember ids received at `at` (epoch ms), for which there is room."""
        self._is_dirty = True
        add = self._days[at // DAY_MS][-1].add
        for each in hashes:
            place, mark = _halves(each)
            add(place, mark)

    def sync(self) -> None:
        """Make all ids durable, those that no row of the journal has among them.

        Raises:
            OSError: the disk is failing.
        """
        for day in self._days.values():
            for table in day:
                sync_data(table.handle)

    def begin_sync(self, number: int) -> None:
        """Make the ids of all rows before `number` durable, in a thread of its own; `synced` tells when they are."""
        if self._sync is not None and self._sync.is_alive():
            return
        if not self._is_dirty:
            self.synced = number
            return
        self._is_dirty = False
        tables = [table for day in self._days.values() for table in day]
        self._sync = threading.Thread(target=self._sync_tables, args=(tables, number), name="journal ids", daemon=True)
        self._sync.start()

    def close(self) -> None:
        """Let go of the files."""
        if self._sync is not None:
            self._sync.join()
        for day in list(self._days):
            self._close(day)

    def _sync_tables(self, tables: list[_IdTable], number: int) -> None:
        try:
            for table in tables:
                sync_data(table.handle)
        except OSError as error:
            self._is_dirty = True
            _log.error("seen_ids_not_synced", error=str(error), remedy="free disk space under `data_folder`")
        else:
            self.synced = number

    def _make(self, day: int, index: int, places: int) -> _IdTable:
        path = self._folder.path / f"seen-{day:06d}-{index:02d}.ids"
        try:
            table = _IdTable(path, places, self._salt)
            self._folder.sync()
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return table

    def _open(self, path: Path) -> None:
        try:
            table = _IdTable(path, 0, None)
        except (OSError, ValueError) as error:
            _log.error(
                "seen_ids_damaged",
                file=str(path),
                error=str(error),
                remedy="check the disk; repeats of ids in it are kept",
            )
            self._folder.set_aside(path.name, keep=False)
            return
        self._salt = table.salt
        self._days.setdefault(int(path.stem.split("-")[1]), []).append(table)

    def _forget(self, before: int) -> None:
        for day in [day for day in self._days if day < before]:
            paths = [table.path for table in self._days[day]]
            self._close(day)
            for path in paths:
                path.unlink(missing_ok=True)

    def _close(self, day: int) -> None:
        for table in self._days.pop(day):
            table.close()


def _kept_salt(folder: JournalFolder) -> bytes:
    """Return the salt of the folder's hashes, so that a file of ids that was lost is made anew from the journal."""
    path = folder.path / "salt"
    try:
        salt = path.read_bytes()
    except FileNotFoundError:
        salt = b""
    if len(salt) != _SALT_BYTES:
        salt = os.urandom(_SALT_BYTES)
        # On a full disk the files of ids, which know it as well, cannot be made either.
        with contextlib.suppress(OSError):
            with open(path, "wb", opener=open_private) as file:
                file.write(salt)
            folder.sync()
    return salt


def _header(salt: bytes, places: int) -> bytes:
    start = _HEADER.pack(_MAGIC, salt, places, 0)[:-4]
    return start + struct.pack("<I", crc32(start))


def _read_header(handle: int) -> tuple[bytes, int]:
    data = os.pread(handle, _HEADER.size, 0)
    if len(data) < _HEADER.size or data != _header(data[8:24], int.from_bytes(data[24:32], "little")):
        raise ValueError("the header is damaged")
    places = int.from_bytes(data[24:32], "little")
    if os.fstat(handle).st_size < _HEADER_BYTES + 8 * places:
        raise ValueError("the file is shorter than it says")
    return data[8:24], places
