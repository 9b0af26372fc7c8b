"""The permission that some events give."""

from __future__ import annotations

from collections.abc import Iterable

from trigger_worker.deciding.recipient.permission import Permission, PermissionReading
from trigger_worker.rules.evaluate.event import Event


def build_permission(events: Iterable[Event]) -> Permission:
    """Return the permission that events give, in order."""
    reading = PermissionReading()
    for event in events:
        reading.take(event)
    return reading.permission()
