"""What an event is called."""

from __future__ import annotations

from typing import Final

from collector.intake.draft import Draft
from collector.intake.drops import Drop, DropReason
from warehouse.limits import MAX_NAME_LENGTH
from warehouse.vocabulary import SEGMENT_EVENT_NAMES

_NAME_OF_TYPE: Final = {
    "page": "page_view",
    "screen": "screen_view",
    "identify": "identify",
    "group": "group",
    "alias": "alias",
}


def name_event(draft: Draft) -> Draft | Drop:
    """Name the event in our vocabulary; Segment's ecommerce names are translated, custom names kept."""
    kind = draft.message.type
    if kind != "track":
        return draft.with_columns(type=kind, event=_NAME_OF_TYPE[kind])
    name = (draft.message.event or "").strip()
    if not name or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        return draft.dropped(DropReason.NO_NAME, f"give event, of 1 to {MAX_NAME_LENGTH} printable characters")
    return draft.with_columns(type=kind, event=SEGMENT_EVENT_NAMES.get(name, name))
