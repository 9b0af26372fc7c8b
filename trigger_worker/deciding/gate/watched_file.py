"""A file that is read again when it changes."""

from __future__ import annotations

from pathlib import Path


class WatchedFile:
    """Tells whether a file is another than at the last look.

    Args:
        path: the file; it may come into being, and go.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._signature = self._look()

    def changed(self) -> bool:
        """Tell whether the file changed since this was last asked, or since the start."""
        signature = self._look()
        same = signature == self._signature
        self._signature = signature
        return not same

    def _look(self) -> tuple[int, int] | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size
