"""The journal's folder: owned by one process, each change of its list of files durable, damaged files set aside."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import time
from pathlib import Path
from typing import Final, Self

import structlog

from warehouse.errors import ConfigurationError

#: How long a process that is about to end may still hold the folder.
LOCK_WAIT_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.05
_DAMAGED: Final = "damaged"
_log = structlog.get_logger("warehouse.journal.folder")


class JournalFolder:
    """A folder that this process alone uses until the object is closed.

    Args:
        path: the folder; made when it is missing.
        lock_wait: seconds for which another process may still hold it; None for as long as one needs to end.

    Raises:
        ConfigurationError: the folder cannot be made or written, or another process holds it; nothing in it was
            touched.
    """

    def __init__(self, path: Path, lock_wait: float | None = None) -> None:
        self.path = path
        self._lock_wait = LOCK_WAIT_SECONDS if lock_wait is None else lock_wait
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"the journal {path} cannot be opened: {error}",
                "make its folder writable, or name another `data_folder`",
            ) from error
        self._acquire()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)

    def sync(self) -> None:
        """Make files that were created, renamed or removed durable."""
        handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def set_aside(self, name: str, *, keep: bool) -> None:
        """Keep a damaged file in the folder `damaged` as it is now, for a person to look at.

        Args:
            name: the file's name.
            keep: whether the file also stays where it is, to be read.
        """
        aside = self.path / _DAMAGED / name
        try:
            aside.parent.mkdir(mode=0o700, exist_ok=True)
            # A link needs no room on a disk that is full. The journal never writes to the file again.
            os.link(self.path / name, aside)
        except FileExistsError:
            pass
        except OSError:
            self._copy(name, aside)
        if not keep:
            (self.path / name).unlink()
        self.sync()

    def _copy(self, name: str, aside: Path) -> None:
        try:
            with (self.path / name).open("rb") as source, open(aside, "wb", opener=open_private) as copy:
                shutil.copyfileobj(source, copy)
        except OSError as error:
            _log.error("damaged_file_not_set_aside", file=str(self.path / name), error=str(error))

    def _acquire(self) -> None:
        if not lock_within(self._lock, self._lock_wait):
            os.close(self._lock)
            raise ConfigurationError(
                f"the journal {self.path} is in use by another process",
                "see that no other process uses it, or name another `data_folder`",
            )


def lock_within(handle: int, seconds: float) -> bool:
    """Lock a file for this process until it is closed; tell whether no other process kept it for so long."""
    give_up_at = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno != errno.EWOULDBLOCK or time.monotonic() >= give_up_at:
                return False
            time.sleep(_POLL_SECONDS)
        else:
            return True


def open_private(path: str, flags: int) -> int:
    """Open a file as `open` does with an opener; a file that is made belongs to its user alone, whatever the umask."""
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def allocate(handle: int, size: int) -> None:
    """Reserve disk space for a file's first `size` bytes, so that writing them never finds the disk full.

    Raises:
        OSError: there is no room.
    """
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, size)
    else:
        os.ftruncate(handle, size)
