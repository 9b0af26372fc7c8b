"""Short ways to store what an experiment is counted from."""

from __future__ import annotations

from typing import Any

from tests.trigger_worker.stored import NOON, event_row, fire, queued, store
from trigger_worker.store.decisions import Decision, DecisionRecord
from trigger_worker.store.records import Records
from warehouse.connection import Warehouse

VERSION = "v1"


def decide(
    warehouse: Warehouse, visitor: str, arm: str = "", reason: str = "passed", at: int = NOON, **changes: Any
) -> None:
    """Store a firing with a decision on its message."""
    fire_id = f"{visitor}-{at}-{changes.get('version', VERSION)}"
    fired = {"visitor_id": visitor, **{name: value for name, value in changes.items() if name in {"version", "rule"}}}
    Records(warehouse).store_fires([fire(fire_id, at=at, **fired)], at)
    message = queued(f"message-{fire_id}", fire_id=fire_id, **fired)
    verdict: Decision = "send" if reason == "passed" else "drop"
    detail = changes.get("detail", {"holdout": "rule"} if reason == "holdout" else {})
    Records(warehouse).store_decisions([DecisionRecord(message, verdict, reason, detail, at, arm)])


def buys(warehouse: Warehouse, visitor: str, value: float, at: int, **fields: Any) -> None:
    store(warehouse, event_row("purchase", visitor, at, value=value, **fields))
