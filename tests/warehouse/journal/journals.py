"""Journals with rows in them, whose disk fails when a test says so."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from warehouse.journal import segments
from warehouse.journal.log import Journal
from warehouse.journal.tables import EVENTS, JournalBatch, JournalTable, RowSetAside, event_key

#: Sunday 22 November 2026, 12:00 UTC, in milliseconds.
NOON = 1_795_348_800_000
SMALL_SEGMENT = 4096
SMALL_RESERVE = 2048


def line(name: str, month: str = "2026-11") -> bytes:
    """A row of `events` with this id."""
    row = {
        "site": "shop",
        "event": "view_item",
        "type": "track",
        "event_id": name,
        "visitor_id": "ada",
        "ts": f"{month}-22 12:00:00.000",
        "received_at": "2026-11-22 12:00:00.000",
        "source": "live",
    }
    return json.dumps(row, separators=(",", ":")).encode()


def key(name: str, site: str = "shop", visitor: str = "ada") -> bytes:
    return event_key(site, visitor, name)


def append(journal: Journal, *names: str, at: int = NOON, table: JournalTable = EVENTS) -> list[str]:
    """Append events by name, and return the names that were known."""
    repeated = journal.append(table, [line(name) for name in names], at, [key(name) for name in names])
    journal.commit()
    return [names[index] for index in repeated]


def take(journal: Journal, limit: int = 100, table: JournalTable = EVENTS) -> JournalBatch | None:
    batch = journal.take(table, limit)
    journal.commit()
    return batch


def finish(journal: Journal, batch: JournalBatch | None, refused: Sequence[RowSetAside] = ()) -> None:
    assert batch is not None
    journal.finish(batch, refused)
    journal.commit()


def names(batch: JournalBatch | None) -> list[str]:
    assert batch is not None
    return [str(json.loads(row)["event_id"]) for row in batch.lines]


class Disk:
    """Stands between the journal's segments and the disk."""

    def __init__(self) -> None:
        #: No new segment can be made while this is set.
        self.is_full = False
        #: The next write stops after this share of its bytes; 1 means that only the wait for the disk fails.
        self.fails_after: float | None = None

    def allocate(self, handle: int, size: int) -> None:
        if self.is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.posix_fallocate(handle, 0, size)

    def pwrite(self, handle: int, data: Any, offset: int) -> int:
        if self.fails_after is None:
            return os.pwrite(handle, data, offset)
        written = int(len(data) * self.fails_after)
        os.pwrite(handle, data[:written], offset)
        self.fails_after = None
        raise OSError(errno.EIO, os.strerror(errno.EIO))


class _Os:
    """The module `os`, but for writing."""

    def __init__(self, disk: Disk) -> None:
        self.pwrite = disk.pwrite

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


@contextmanager
def failing_disk(reserve: int = SMALL_RESERVE) -> Iterator[Disk]:
    """Put a disk of ours under every journal; segments keep a small reserve, so that small ones do."""
    disk = Disk()
    with ExitStack() as patches:
        for name, ours in {
            "os": _Os(disk),
            "allocate": disk.allocate,
            "RESERVE_BYTES": reserve,
            "DRAINING_BYTES": 200,
        }.items():
            patches.enter_context(patch.object(segments, name, ours))
        yield disk
