"""The steps that find what every event must have, or drop it: a name, fit values and an id."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from sys import float_info
from typing import Final

import msgspec

from collector.intake.draft import Draft, Drop, DropReason
from warehouse.limits import MAX_DEPTH, MAX_NAME_LENGTH, MAX_NESTED
from warehouse.vocabulary import our_event_name

_NAME_OF_TYPE: Final = {
    "page": "page_view",
    "screen": "screen_view",
    "identify": "identify",
    "group": "group",
    "alias": "alias",
}
#: A whole number is read however many digits it has; whoever reckons with it later needs it as a float.
_GREATEST: Final = int(float_info.max)
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
    """Drop an event one of whose properties or traits is a number too large, is nested too deeply, or has no end."""
    left = [MAX_NESTED]
    for name, value in (*draft.props.items(), *draft.traits.items()):
        # Most values are text.
        if type(value) is not str and (trouble := _trouble(value, 1, left)):
            return draft.dropped(DropReason.MALFORMED, f"{trouble}, in {name[:50]!r}")
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


def _trouble(value: object, depth: int, left: list[int]) -> str:
    """Return what is wrong with a value, or ''.

    Args:
        value: any.
        depth: the objects and lists around it, and itself if it is one.
        left: how many objects and lists the event may still have.
    """
    if isinstance(value, int):
        return "" if -_GREATEST <= value <= _GREATEST else "a number too large for any use"
    inner = value.values() if isinstance(value, dict) else value
    if not isinstance(inner, Iterable) or isinstance(inner, str):
        return ""
    left[0] -= 1
    if depth > MAX_DEPTH:
        return f"more than {MAX_DEPTH} objects and lists inside each other"
    if left[0] < 0:
        return f"more than {MAX_NESTED} objects and lists"
    for each in inner:
        if type(each) is not str and (trouble := _trouble(each, depth + 1, left)):
            return trouble
    return ""
