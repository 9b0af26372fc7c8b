"""Files to import, and their import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from collector.sites import Site
from micromoment.history.formats import Asked
from micromoment.history.importer import Installation, import_file
from micromoment.history.report import ImportReport
from warehouse.address_ledger import AddressKeys
from warehouse.connection import Warehouse

SHOP = Site("shop", "")
NOW_MS = 1_795_348_800_000
KEYS = AddressKeys(b"secret")


def line(number: int, **fields: Any) -> dict[str, Any]:
    """A message of history, one minute after the other."""
    usual = {
        "type": "track",
        "event": "view_item",
        "messageId": f"018f2f6e-7e1a-7000-8000-{number:012}",
        "anonymousId": f"0190a4c2-1111-4222-8333-{number % 5000:012}",
        "timestamp": f"2026-10-{number // 1440 % 28 + 1:02}T{number // 60 % 24:02}:{number % 60:02}:00.000Z",
    }
    return {name: value for name, value in {**usual, **fields}.items() if value is not None}


def json_lines(*numbers: int) -> bytes:
    """Messages of these numbers, one a line."""
    return "".join(json.dumps(line(number)) + "\n" for number in numbers).encode()


def load(warehouse: Warehouse, path: Path, **asked: Any) -> ImportReport:
    """Import a file."""
    here = Installation(KEYS, path.parent / "data")
    return import_file(warehouse, path, SHOP, NOW_MS, lambda _: None, asked=Asked(**asked), installation=here)


def load_bytes(warehouse: Warehouse, folder: Path, content: bytes, **asked: Any) -> ImportReport:
    """Import a file with this content."""
    path = folder / "file"
    path.write_bytes(content)
    return load(warehouse, path, **asked)


def counts(warehouse: Warehouse) -> tuple[int, int]:
    """How many rows `events` has, and how many ids."""
    ((rows, ids),) = warehouse.query("SELECT count(), uniqExact(event_id) FROM events")
    return rows, ids
