"""A file that is read again when it changes."""

from __future__ import annotations

import os
from pathlib import Path

from trigger_worker.deciding.gate.watched_file import WatchedFile


def test_each_change_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "file"
    watched = WatchedFile(path)
    assert not watched.changed()
    path.write_text("one")
    assert watched.changed()
    assert not watched.changed()
    os.utime(path, ns=(1, 1))
    assert watched.changed()
    path.unlink()
    assert watched.changed()
    assert not watched.changed()
