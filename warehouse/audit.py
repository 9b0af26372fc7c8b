"""The audit: what operators changed, who they are, and when; never about which person."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from warehouse.event import format_time
from warehouse.queries import Inserts, Queries

#: What is noted: `docs/privacy.md` describes each.
Action = Literal[
    "erase",
    "export",
    "retry",
    "send_test",
    "import",
    "catalogue",
    "started",
    "rules_changed",
    "data_request",
    "shop_redact",
]
_LATEST: Final = "SELECT toString(at), actor, action, detail FROM audit ORDER BY at DESC LIMIT {limit:UInt32}"
_encode: Final = msgspec.json.Encoder().encode


class AuditRow(msgspec.Struct, frozen=True):
    """What somebody did: when, in UTC; who; what; and the details, as JSON."""

    at: str
    actor: str
    action: str
    detail: str


def read_audit(queries: Queries, limit: int) -> list[AuditRow]:
    """Return the latest rows of the audit, the latest first.

    Cost: one query over a small table.
    """
    return [AuditRow(*row) for row in queries.query(_LATEST, {"limit": limit})]


def store_audit(warehouse: Inserts, actor: str, action: Action, detail: Mapping[str, Any]) -> None:
    """Store a row of the audit.

    Cost: one insert.

    Args:
        warehouse: the ClickHouse database.
        actor: the user of the machine, or what else acted.
        action: what was done.
        detail: what, and how much; no id of a person, no address.
    """
    at = format_time(time.time_ns() // 1_000_000)
    row = {"at": at, "actor": actor, "action": action, "detail": _encode(detail).decode()}
    warehouse.insert_lines("audit", _encode(row), uuid.uuid4().hex)
