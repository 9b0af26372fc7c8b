"""The values that expressions work with, and how they are taken out of what a visitor sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

#: A text, a number or a truth; None when it is missing. Durations are numbers of milliseconds.
Value = str | float | bool | None


def as_value(raw: object) -> Value:
    """Returns the value that a raw field stands for; anything that is not a scalar is missing."""
    if isinstance(raw, float):
        return raw if isfinite(raw) else None
    if raw is None or isinstance(raw, (str, bool)):
        return raw
    return _as_number(raw) if isinstance(raw, int) else None


def _as_number(raw: int) -> float | None:
    try:
        return float(raw)
    except OverflowError:
        return None


def read_field(fields: Mapping[str, Any], path: Sequence[str]) -> Value:
    """Returns the value at a path through nested objects, missing when any part of it is."""
    found = fields.get(path[0])
    for part in path[1:]:
        if not isinstance(found, dict):
            return None
        found = found.get(part)
    return as_value(found)
