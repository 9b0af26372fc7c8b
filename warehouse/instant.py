"""Instants as they are told to people and programs."""

from __future__ import annotations

from datetime import UTC, datetime


def format_instant(at: int) -> str:
    """Return epoch milliseconds as `2026-11-22T12:00:00.000Z`."""
    # Several times as fast as strftime, and a replay tells a million of them.
    seconds = datetime.fromtimestamp(at // 1000, UTC).isoformat()[:19]
    return f"{seconds}.{at % 1000:03d}Z"
