"""The steps that find what every event must have, or drop it: a name, fit values and an id."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from itertools import chain
from sys import float_info
from typing import Any, Final

import msgspec

from collector.intake.draft import Draft, Drop, DropReason
from warehouse.amounts import LARGEST_EXACT, exact_id
from warehouse.limits import MAX_DEPTH, MAX_NAME_LENGTH, MAX_NESTED
from warehouse.vocabulary import COLUMN_FIELDS, our_event_name

_NAME_OF_TYPE: Final = {
    "page": "page_view",
    "screen": "screen_view",
    "identify": "identify",
    "group": "group",
    "alias": "alias",
}
#: A whole number is read however many digits it has; whoever reckons with it later needs it as a float.
_GREATEST: Final = int(float_info.max)
#: Fields that are numbers by their names.
_NUMBERS: Final = frozenset(name for name, kind in COLUMN_FIELDS.items() if kind == "number")
_NAMESPACE: Final = uuid.UUID("6d6d6576-656e-7473-8000-000000000000")


def name_event(draft: Draft) -> Drop | None:
    """Name the event in our vocabulary; names of commerce are translated, custom names kept."""
    draft.columns["type"] = kind = draft.message.type
    if kind != "track":
        draft.columns["event"] = _NAME_OF_TYPE[kind]
        return None
    name = (draft.message.event or "").strip()
    if not name or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        return draft.dropped(DropReason.NO_NAME, f"give event, of 1 to {MAX_NAME_LENGTH} printable characters")
    draft.columns["event"] = our_event_name(name)
    return None


def refuse_unfit_values(draft: Draft) -> Drop | None:
    """Drop an event one of whose properties or traits is a number too large, is nested too deeply, or has no end.

    Whole numbers with more digits than a float holds, which are ids, become texts.
    """
    seen = None
    for name, value in chain(draft.props.items(), draft.traits.items()):
        # Most values are text, or an amount.
        kind = type(value)
        if kind is str or (kind in _NUMERIC and -LARGEST_EXACT <= value <= LARGEST_EXACT):
            continue
        seen = seen or _Seen()
        if trouble := _trouble(value, 1, seen):
            return draft.dropped(DropReason.MALFORMED, f"{trouble}, in {name[:50]!r}")
    if seen is not None and seen.has_ids:
        draft.props, draft.traits = _with_ids(draft.props), _with_ids(draft.traits)
    return None


def fill_message_id(draft: Draft) -> None:
    """Take the sender's messageId, or derive one from the message, so that the same bytes make the same event."""
    draft.columns["event_id"] = draft.message.label or _content_id(draft)


def _content_id(draft: Draft) -> str:
    # A message without a time of its own is a new event at each receipt; with one it is the same when re-sent.
    timed = draft.message.timestamp is not None or draft.message.original_timestamp is not None
    content = msgspec.json.encode((draft.message, 0 if timed else uuid.uuid4().hex), order="sorted")
    # A field that messages did not have in earlier versions: what is imported again keeps the ids that it had.
    content = content.replace(b'"category":null,', b"", 1)
    return str(uuid.uuid5(_NAMESPACE, hashlib.sha256(content).hexdigest()))


_NUMERIC: Final = frozenset({int, float})


class _Seen:
    """The values of an event that were looked at.

    Attributes:
        left: how many objects and lists it may still have.
        has_ids: whether there is a whole number with more digits than a float holds.
    """

    __slots__ = ("has_ids", "left")

    def __init__(self) -> None:
        self.left = MAX_NESTED
        self.has_ids = False


def _trouble(value: object, depth: int, seen: _Seen) -> str:
    """Return what is wrong with a value, or ''.

    Args:
        value: any.
        depth: the objects and lists around it, and itself if it is one.
        seen: what was looked at so far.
    """
    if isinstance(value, (int, float)):
        return _trouble_of_number(value, seen)
    inner = value.values() if isinstance(value, dict) else value
    if not isinstance(inner, Iterable) or isinstance(inner, str):
        return ""
    seen.left -= 1
    if depth > MAX_DEPTH:
        return f"more than {MAX_DEPTH} objects and lists inside each other"
    if seen.left < 0:
        return f"more than {MAX_NESTED} objects and lists"
    for each in inner:
        if type(each) is not str and (trouble := _trouble(each, depth + 1, seen)):
            return trouble
    return ""


def _trouble_of_number(value: float, seen: _Seen) -> str:
    if -LARGEST_EXACT <= value <= LARGEST_EXACT:
        return ""
    seen.has_ids = True
    return "" if -_GREATEST <= value <= _GREATEST else "a number too large for any use"


def _with_ids(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object whose ids are texts; an amount stays a number, however large."""
    return {name: value if name in _NUMBERS else _with_text_id(value) for name, value in fields.items()}


def _with_text_id(value: object) -> object:
    if isinstance(value, dict):
        return _with_ids(value)
    if isinstance(value, list):
        return [_with_text_id(each) for each in value]
    return (exact_id(value) or value) if isinstance(value, int | float) else value
