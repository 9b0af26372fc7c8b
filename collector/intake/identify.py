"""Who did it, and which event it is."""

from __future__ import annotations

import hashlib
import uuid
from typing import Final

import msgspec

from collector.intake.draft import Draft
from collector.intake.drops import Drop, DropReason
from collector.intake.message import text
from warehouse.limits import MAX_ID_LENGTH

_NAMESPACE: Final = uuid.UUID("6d6d6576-656e-7473-8000-000000000000")


def require_visitor(draft: Draft) -> Draft | Drop:
    """Take the visitor's ids; `visitor_id` is the person when known, else the anonymous id.

    An `alias` joins its previousId to the userId, as `identity` learns it from any event that carries both.
    """
    message = draft.message
    user = text(message.user_id)
    anonymous = text(message.anonymous_id)
    if message.type == "alias":
        anonymous = text(message.previous_id) or anonymous
    if not user and not anonymous:
        return draft.dropped(DropReason.NO_VISITOR, "give anonymousId or userId")
    if max(len(user), len(anonymous), len(message.label)) > MAX_ID_LENGTH:
        return draft.dropped(DropReason.BAD_ID, f"ids have at most {MAX_ID_LENGTH} characters")
    return draft.with_columns(visitor_id=user or anonymous, user_id=user, anonymous_id=anonymous)


def fill_message_id(draft: Draft) -> Draft | Drop:
    """Take the sender's messageId, or derive one from the message, so that the same bytes make the same event."""
    return draft.with_columns(event_id=draft.message.label or _content_id(draft))


def _content_id(draft: Draft) -> str:
    # A message without a time of its own is a new event at each receipt; with one it is the same when re-sent.
    timed = draft.message.timestamp is not None or draft.message.original_timestamp is not None
    content = msgspec.json.encode((draft.message, 0 if timed else uuid.uuid4().hex), order="sorted")
    return str(uuid.uuid5(_NAMESPACE, hashlib.sha256(content).hexdigest()))
