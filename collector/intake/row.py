"""The steps that turn a draft into the row that is stored: properties into columns, then the row."""

from __future__ import annotations

from math import isfinite
from sys import intern
from typing import Any, Final

import msgspec

from collector.intake.draft import Draft, Drop, DropReason, EventWarning, short_text, text
from warehouse.event import EventRow, kept_days
from warehouse.limits import MAX_EVENT_BYTES
from warehouse.vocabulary import COLUMN_FIELDS, FieldType

_encode: Final = msgspec.json.Encoder().encode


class EncodedRow(msgspec.Struct, frozen=True):
    """A row, its JSON, and why it is not what was sent: rows are encoded once, here, where their size is judged."""

    row: EventRow
    line: bytes
    warnings: tuple[EventWarning, ...] = ()


def lift_columns(draft: Draft) -> None:
    """Move each property that has a column of its own into it, as text or number; the others stay in `props`.

    A property that cannot be read as its column's type stays in `props`, so that nothing is lost. Empty text and
    null are absent.
    """
    columns = draft.columns
    props: dict[str, object] = {}
    for name, value in draft.props.items():
        if value is None or value == "":
            continue
        kind = COLUMN_FIELDS.get(name)
        converted = _converted(kind, value) if kind else None
        if converted is None:
            props[name] = value
        else:
            # A struct finds its fields several times faster by names that are the same object as its own.
            columns[intern(name)] = converted
    draft.props = _with_traits(draft, props)


def build_row(draft: Draft) -> EncodedRow | Drop:
    """Return the row, or drop an event that is too large or cannot be written as JSON."""
    columns = draft.columns
    columns["site"] = draft.site.name
    columns["source"] = draft.receipt.source
    columns["retention_days"] = kept_days(columns["event"], draft.site.retention_days)
    try:
        columns["props"] = _encode(draft.props).decode() if draft.props else ""
        row = EventRow(**columns)
        line = _encode(row)
    except (msgspec.MsgspecError, OverflowError, RecursionError, UnicodeError) as error:
        return draft.dropped(DropReason.MALFORMED, str(error))
    if len(line) > MAX_EVENT_BYTES:
        return draft.dropped(DropReason.TOO_LARGE, f"{len(line)} bytes; an event may have {MAX_EVENT_BYTES}")
    return EncodedRow(row, line, draft.warnings)


def _converted(kind: FieldType, value: object) -> str | float | None:
    return (short_text(value) or None) if kind == "text" else _number(value)


def _number(value: object) -> float | None:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, bool):
        return None
    try:
        number = float(value) if isinstance(value, (int, str)) else None
    except (ValueError, OverflowError):
        return None
    return number if number is not None and isfinite(number) else None


def _with_traits(draft: Draft, props: dict[str, Any]) -> dict[str, Any]:
    """Add the traits and the group id of an identify or group call to its properties."""
    message = draft.message
    if message.type not in {"identify", "group"}:
        return props
    traits = {name: value for name, value in (message.traits or {}).items() if value not in ("", None)}
    said = {"traits": traits, "group_id": text(message.group_id)}
    return {**props, **{name: value for name, value in said.items() if value}}
