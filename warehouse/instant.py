"""Instants as they are told to people and programs."""

from __future__ import annotations

from datetime import UTC, datetime


def format_instant(at: int) -> str:
    """Return epoch milliseconds as `2026-11-22T12:00:00.000Z`."""
    moment = datetime.fromtimestamp(at // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"
