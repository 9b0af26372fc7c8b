"""The messages that the mailbox holds in memory: the latest emails, text messages and chat messages."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Final, Literal

import msgspec

from micromoment.mailbox.mail import Mail, parse_mail

#: The most emails, and the most text and chat messages, that are kept; older ones are dropped.
CAPACITY: Final = 200


class TextMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A received text or chat message.

    Args:
        id: the number of the message, counted from 1.
        received_at: the time of receipt, in UTC.
        channel: the channel that the message came by.
        text: the text.
        sender: the number that the message came from; empty for chat.
        recipient: the number that the message is for; empty for chat.
    """

    id: int
    received_at: datetime
    channel: Literal["sms", "chat"]
    text: str
    sender: str = ""
    recipient: str = ""


class MailStore:
    """The latest emails, in memory.

    Args:
        now: the clock, in UTC.
        capacity: the most emails to keep.
    """

    def __init__(self, now: Callable[[], datetime], capacity: int = CAPACITY) -> None:
        self._now = now
        self._mails: deque[Mail] = deque(maxlen=capacity)
        self._received = 0

    def add(self, content: bytes, sender: str, recipients: tuple[str, ...]) -> None:
        """Store an email.

        Args:
            content: the email as it came over the wire.
            sender, recipients: the addresses of the envelope.
        """
        self._received += 1
        mail = parse_mail(
            content, mail_id=self._received, received_at=self._now(), sender=sender, recipients=recipients
        )
        self._mails.append(mail)

    def mails(self, recipient: str = "") -> list[Mail]:
        """Return the emails, newest first; only the emails to one recipient if it is given."""
        return [mail for mail in reversed(self._mails) if not recipient or recipient in mail.recipients]

    def find(self, mail_id: int) -> Mail | None:
        """Return the email of a number, or None when there is no such email or it was dropped."""
        return next((mail for mail in self._mails if mail.id == mail_id), None)


class TextStore:
    """The latest text and chat messages, in memory.

    Args:
        now: the clock, in UTC.
        capacity: the most messages to keep.
    """

    def __init__(self, now: Callable[[], datetime], capacity: int = CAPACITY) -> None:
        self._now = now
        self._texts: deque[TextMessage] = deque(maxlen=capacity)
        self._received = 0

    def add(self, channel: Literal["sms", "chat"], text: str, sender: str = "", recipient: str = "") -> TextMessage:
        """Store a message, and return it with its number."""
        self._received += 1
        kept = TextMessage(
            id=self._received,
            received_at=self._now(),
            channel=channel,
            text=text,
            sender=sender,
            recipient=recipient,
        )
        self._texts.append(kept)
        return kept

    def texts(self, recipient: str = "") -> list[TextMessage]:
        """Return the messages, newest first; only the messages to one number if it is given."""
        return [text for text in reversed(self._texts) if not recipient or recipient == text.recipient]
