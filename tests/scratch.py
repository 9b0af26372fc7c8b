"""Folders for databases of tests, in memory where there is enough: a third of a run's time went into files of parts."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_MEMORY: Final = Path("/dev/shm")
#: Several times what a run needs; containers often have 64 MB, which is too little.
_ENOUGH_BYTES: Final = 4 * 1024**3
_PREFIX: Final = "micromoment-tests-"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make an empty folder, and remove it when the block ends."""
    _remove_left_behind()
    folder = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_MEMORY if _has_room() else None)
    try:
        yield Path(folder)
    finally:
        # A process that was just killed may still let go of files in it.
        shutil.rmtree(folder, ignore_errors=True)


def _has_room() -> bool:
    return _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _ENOUGH_BYTES


def _remove_left_behind() -> None:
    """Give back the memory of runs that were killed."""
    for folder in _MEMORY.glob(f"{_PREFIX}*"):
        process = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path("/proc", process).exists():
            shutil.rmtree(folder, ignore_errors=True)
