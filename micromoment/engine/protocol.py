"""The protocol between a command and the process that holds the embedded engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec


class Export(msgspec.Struct, frozen=True):
    """A request to export the rows of a query: the statement, its parameters and settings, and the output format."""

    sql: str
    format: str
    parameters: dict[str, Any] = {}
    settings: dict[str, Any] = {}


def socket_path(data_folder: str) -> Path:
    """Return the path of the Unix socket on which the running process listens."""
    return Path(data_folder) / "run" / "engine.sock"
