"""The steps that turn a draft into the row that is stored: properties into columns, then the row."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

import msgspec

from collector.intake.draft import Draft, Drop, DropReason, text
from warehouse.event import EventRow, kept_days
from warehouse.limits import MAX_EVENT_BYTES, MAX_TEXT_LENGTH
from warehouse.vocabulary import COLUMN_FIELDS

_TEXT_COLUMNS: Final = frozenset(name for name, kind in COLUMN_FIELDS.items() if kind == "text")
_NUMBER_COLUMNS: Final = frozenset(COLUMN_FIELDS) - _TEXT_COLUMNS


def lift_columns(draft: Draft) -> Draft:
    """Move each property that has a column of its own into it, as text or number; the others stay in `props`.

    A property that cannot be read as its column's type stays in `props`, so that nothing is lost. Empty text and
    null are absent.
    """
    columns: dict[str, object] = {}
    props: dict[str, object] = {}
    for name, value in draft.props.items():
        if value in ("", None):
            continue
        converted = _converted(name, value)
        if converted is None:
            props[name] = value
        else:
            columns[name] = converted
    lifted = draft.with_columns(**columns)
    return msgspec.structs.replace(lifted, props=_with_traits(draft, props))


def build_row(draft: Draft) -> EventRow | Drop:
    """Return the row, or drop an event that is too large or cannot be written as JSON."""
    try:
        props = msgspec.json.encode(draft.props).decode() if draft.props else ""
        row = EventRow(
            site=draft.site.name,
            source=draft.receipt.source,
            props=props,
            retention_days=kept_days(str(draft.columns["event"]), draft.site.retention_days),
            **draft.columns,
        )
        size = len(msgspec.json.encode(row))
    except (msgspec.MsgspecError, OverflowError, RecursionError, UnicodeError) as error:
        return draft.dropped(DropReason.MALFORMED, str(error))
    if size > MAX_EVENT_BYTES:
        return draft.dropped(DropReason.TOO_LARGE, f"{size} bytes; an event may have {MAX_EVENT_BYTES}")
    return row


def _converted(name: str, value: object) -> str | float | None:
    if name in _TEXT_COLUMNS:
        return text(value)[:MAX_TEXT_LENGTH] or None
    return _number(value) if name in _NUMBER_COLUMNS else None


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value) if isinstance(value, int | float | str) else None
    except (ValueError, OverflowError):
        return None
    return number if number is not None and isfinite(number) else None


def _with_traits(draft: Draft, props: Mapping[str, Any]) -> Mapping[str, Any]:
    """Add the traits and the group id of an identify or group call to its properties."""
    message = draft.message
    if message.type not in {"identify", "group"}:
        return props
    traits = {name: value for name, value in (message.traits or {}).items() if value not in ("", None)}
    said = {"traits": traits, "group_id": text(message.group_id)}
    return {**props, **{name: value for name, value in said.items() if value}}
