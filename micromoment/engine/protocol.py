"""What passes between a command and the process that holds the embedded engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec


class Export(msgspec.Struct, frozen=True):
    """A statement, its bound parameters and settings, and the format of its answer."""

    sql: str
    format: str
    parameters: dict[str, Any] = {}
    settings: dict[str, Any] = {}


def socket_path(data_folder: str) -> Path:
    """Return where the running process listens."""
    return Path(data_folder) / "run" / "engine.sock"
