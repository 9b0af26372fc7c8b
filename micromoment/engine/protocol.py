"""The protocol between a command and the process that holds the embedded engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from warehouse.erasure import MAX_IDS


class Export(msgspec.Struct, frozen=True):
    """A request to export the rows of a query: the statement, its parameters and settings, and the output format."""

    sql: str
    format: str
    parameters: dict[str, Any] = {}
    settings: dict[str, Any] = {}


class PersonRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request about a person.

    Args:
        site: the site.
        visitor: any id of the person.
        actor: who asks, where the server does not know it better.
        max_ids: more ids than this are taken for several persons.
    """

    site: str
    visitor: str
    actor: str = ""
    max_ids: int = MAX_IDS


def socket_path(data_folder: str) -> Path:
    """Return the path of the Unix socket on which the running process listens."""
    return Path(data_folder) / "run" / "engine.sock"
