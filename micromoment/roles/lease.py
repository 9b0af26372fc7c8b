"""The lease that makes one worker the owner of every slot: what it promises, and the lease of a single machine."""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, Protocol

import msgspec
import structlog

from warehouse.errors import ConfigurationError
from warehouse.journal.folder import open_private

#: Seconds between two attempts to get a lease that another worker has.
ASK_AGAIN_SECONDS: Final = 0.5
_log = structlog.get_logger("micromoment.lease")


class Lease(Protocol):
    """The right to decide about visitors and to send to them, which one worker at a time has.

    A lease that was lost stays lost; who wants to go on gets a new one.
    """

    @property
    def number(self) -> int:
        """Return the fencing number: each owner's is greater than that of every owner before; 0 before `acquire`."""

    async def acquire(self) -> None:
        """Wait until the lease is this process's, for as long as it takes; say once in the log who has it."""

    def is_held(self) -> bool:
        """Tell whether the lease is still this process's: cheap, to be asked right before each effect."""

    async def release(self) -> None:
        """Give the lease to whoever waits for it."""


class WaitNotice:
    """Says in the log that a worker waits for the lease, once for each reason."""

    def __init__(self) -> None:
        self._told = ""

    def tell(self, reason: str, remedy: str) -> None:
        """Say why the worker waits, unless it is what was said last."""
        if reason != self._told:
            self._told = reason
            _log.warning("worker_waits_for_lease", reason=reason, remedy=remedy)


def process_name() -> str:
    """Return the name by which an operator finds this process: its machine and its number there."""
    return f"{socket.gethostname()}, process {os.getpid()}"


def held_by(holder: str) -> tuple[str, str]:
    """Return the reason and the remedy when another worker has the lease."""
    return f"{holder} has it", "nothing, if it is to take over when that one ends; else stop one of the two"


class _Owner(msgspec.Struct, frozen=True):
    """The content of the file of a lease.

    Args:
        number: the fencing number of the process that has or had the lease.
        holder: the name of that process.
    """

    number: int
    holder: str


class FileLease:
    """The lease of one machine: a lock on a file, which the system releases when the process ends, however it ends.

    Args:
        path: the file; it stays, and keeps the number of the last owner.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self._number = 0

    @property
    def number(self) -> int:
        """Return the fencing number."""
        return self._number

    async def acquire(self) -> None:
        """Wait until no other process has the file locked, and lock it.

        Raises:
            ConfigurationError: the file cannot be written.
        """
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            await self._lock(_open(self._path))
        except OSError as error:
            raise ConfigurationError(
                f"data_folder: {self._path} cannot be written: {error.strerror}",
                "make the folder writable, or set another with MICROMOMENT_DATA_FOLDER",
            ) from error

    def is_held(self) -> bool:
        """Tell whether the file is locked by this process: nobody can take the lock away."""
        return self._file is not None

    async def release(self) -> None:
        """Unlock the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    async def _lock(self, file: IO[bytes]) -> None:
        notice = WaitNotice()
        try:
            while not _try_lock(file):
                notice.tell(*held_by(_read_owner(file).holder))
                await asyncio.sleep(ASK_AGAIN_SECONDS)
            self._number = _read_owner(file).number + 1
            file.truncate(0)
            file.write(msgspec.json.encode(_Owner(self._number, process_name())))
            file.flush()
        except BaseException:
            file.close()
            raise
        self._file = file
        _log.info("lease_acquired", number=self._number)


def _open(path: Path) -> IO[bytes]:
    return open(path, "a+b", opener=open_private)


def _try_lock(file: IO[bytes]) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _read_owner(file: IO[bytes]) -> _Owner:
    """Return what a file says of the owner; it is empty before the first, and while one writes it."""
    file.seek(0)
    try:
        return msgspec.json.decode(file.read(), type=_Owner)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _Owner(0, "another process of this machine")
