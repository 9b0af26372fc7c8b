"""The steps that turn a draft into the row that is stored: properties into columns, then the row."""

from __future__ import annotations

from sys import intern
from typing import Any, Final

import msgspec

from collector.intake.draft import Draft, Drop, DropReason, EventWarning, WarningReason, short_text, text
from collector.intake.none_ids import PASSED_OVER, is_no_value, is_none, read_id
from collector.sites import Site
from warehouse.amounts import read_number
from warehouse.event import EventRow, kept_days
from warehouse.limits import MAX_EVENT_BYTES
from warehouse.vocabulary import COLUMN_FIELDS, CONTEXT_COLUMNS, PAGE_EVENTS, FieldType

#: Columns that properties of the same names fill, of any event and of one about a page.
_OF_EVENTS: Final = {name: kind for name, kind in COLUMN_FIELDS.items() if name not in CONTEXT_COLUMNS}
_OF_PAGES: Final = {**_OF_EVENTS, "referrer": COLUMN_FIELDS["referrer"]}
_encode: Final = msgspec.json.Encoder().encode


#: Traits by which somebody is reached, and by which a message calls them.
_ADDRESSES: Final = frozenset({"email", "phone"})
_PERSONAL_TRAITS: Final = _ADDRESSES | {"first_name", "firstName", "last_name", "lastName", "name"}


class EncodedRow(msgspec.Struct, frozen=True):
    """A row as it is kept: rows are encoded once, here, where their size is judged.

    Args:
        row: the row.
        line: its JSON.
        label: the id by which its sender knows it.
        warnings: why it is not what was sent.
    """

    row: EventRow
    line: bytes
    label: str
    warnings: tuple[EventWarning, ...] = ()


def lift_columns(draft: Draft) -> None:
    """Move each property that has a column of its own into it, as text or number; the others stay in `props`.

    A property that cannot be read as its column's type stays in `props`, so that nothing is lost, as does one of a
    column that only the context fills. Empty text and null are absent.
    """
    columns = draft.columns
    lifted = _OF_PAGES if columns["event"] in PAGE_EVENTS else _OF_EVENTS
    props: dict[str, object] = {}
    for name, value in draft.props.items():
        if value is None or value == "":
            continue
        kind = lifted.get(name)
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
    return EncodedRow(row, line, draft.told_as or row.event_id, draft.warnings)


def _converted(kind: FieldType, value: object) -> str | float | None:
    return (short_text(value) or None) if kind == "text" else read_number(value)


def _with_traits(draft: Draft, props: dict[str, Any]) -> dict[str, Any]:
    """Add the traits and the group id of an identify or group call to its properties."""
    message = draft.message
    if message.type not in {"identify", "group"}:
        return props
    said = {"traits": _told_traits(draft), "group_id": read_id(draft, "groupId", message.group_id)}
    return {**props, **{name: value for name, value in said.items() if value}}


def _told_traits(draft: Draft) -> dict[str, Any]:
    """Return the traits; one that is taken away is null, and a placeholder for none says nothing."""
    traits: dict[str, Any] = {}
    for name, value in draft.traits.items():
        if name in _PERSONAL_TRAITS and value not in ("", None) and _stands_for_none(name, value, draft.site):
            draft.warn(WarningReason.ID_IS_NONE, f"the trait {name} {PASSED_OVER}")
        else:
            traits[name] = None if value == "" else value
    return traits


def _stands_for_none(name: str, value: object, site: Site) -> bool:
    written = text(value)
    return is_none(written, site) if name in _ADDRESSES else isinstance(value, str) and is_no_value(written)
