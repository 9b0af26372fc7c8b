"""The text and chat messages that the mailbox holds, the newest ones only."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Final, Literal

import msgspec

#: How many messages are kept; older ones are forgotten.
CAPACITY: Final = 200


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A message without a subject.

    Args:
        id: counts them, from 1.
        received_at: when it came in, in UTC.
        sender: the number that it came from; empty for chat.
        recipient: the number that it is for; empty for chat.
    """

    id: int
    received_at: datetime
    channel: Literal["sms", "chat"]
    text: str
    sender: str = ""
    recipient: str = ""


class TextStore:
    """Keeps the latest messages in memory.

    Args:
        now: the clock, in UTC.
        capacity: how many to keep.
    """

    def __init__(self, now: Callable[[], datetime], capacity: int = CAPACITY) -> None:
        self._now = now
        self._texts: deque[Text] = deque(maxlen=capacity)
        self._received = 0

    def add(self, channel: Literal["sms", "chat"], text: str, sender: str = "", recipient: str = "") -> Text:
        """Take in one message."""
        self._received += 1
        kept = Text(
            id=self._received,
            received_at=self._now(),
            channel=channel,
            text=text,
            sender=sender,
            recipient=recipient,
        )
        self._texts.append(kept)
        return kept

    def texts(self, recipient: str = "") -> list[Text]:
        """Return the messages, newest first; only those to one number when that is named."""
        return [text for text in reversed(self._texts) if not recipient or recipient == text.recipient]
