"""The mails that the mailbox holds, the newest ones only."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Final

from micromoment.mailbox.mail import Mail, parse_mail

#: How many mails are kept; older ones are forgotten.
CAPACITY: Final = 200


class MailStore:
    """Keeps the latest mails in memory.

    Args:
        now: the clock, in UTC.
        capacity: how many to keep.
    """

    def __init__(self, now: Callable[[], datetime], capacity: int = CAPACITY) -> None:
        self._now = now
        self._mails: deque[Mail] = deque(maxlen=capacity)
        self._received = 0

    def add(self, content: bytes, sender: str, recipients: tuple[str, ...]) -> None:
        """Takes in one mail as it came over the wire."""
        self._received += 1
        mail = parse_mail(
            content, mail_id=self._received, received_at=self._now(), sender=sender, recipients=recipients
        )
        self._mails.append(mail)

    def mails(self, recipient: str = "") -> list[Mail]:
        """Gives the mails, newest first; only those to one recipient when that is named."""
        return [mail for mail in reversed(self._mails) if not recipient or recipient in mail.recipients]

    def find(self, mail_id: int) -> Mail | None:
        """Gives one mail; None when there is none of that number, or not any more."""
        return next((mail for mail in self._mails if mail.id == mail_id), None)
