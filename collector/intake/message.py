"""One message of Segment's HTTP Tracking API, as unmodified SDKs send it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

MessageType = Literal["track", "identify", "page", "screen", "group", "alias"]
Identifier = str | int | float | None


class Message(msgspec.Struct, frozen=True, rename="camel"):
    """What an SDK sends for one thing that happened; unknown keys are ignored."""

    type: MessageType
    event: str | None = None
    name: str | None = None
    message_id: Identifier = None
    anonymous_id: Identifier = None
    user_id: Identifier = None
    previous_id: Identifier = None
    group_id: Identifier = None
    timestamp: str | int | float | None = None
    original_timestamp: str | int | float | None = None
    sent_at: str | int | float | None = None
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    context: dict[str, Any] | None = None

    @property
    def label(self) -> str:
        """Return the message id as text, or '' when the sender gave none."""
        return text(self.message_id)


def text(value: object) -> str:
    """Return an identifier as text: trimmed, a whole number without its `.0`, anything else ''."""
    if isinstance(value, bool):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip() if isinstance(value, str | int | float) else ""
