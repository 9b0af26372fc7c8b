"""Writes an email as mail servers carry it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Final

from trigger_worker.channels.base import OutboundMessage, wrong_content
from trigger_worker.content.model import EmailContent
from warehouse.errors import DeliveryError

#: One address and nothing else: no second one, no comment, no line break.
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8}")
_UNSAFE_IN_ID: Final = re.compile(r"[^A-Za-z0-9._-]")


def mail_message(message: OutboundMessage, sender: Address, now_ms: int) -> EmailMessage:
    """Builds text and HTML as the two alternatives of one email.

    Args:
        message: an email with at least one recipient; the first gets it.
        sender: who it is from.
        now_ms: the date it carries, in milliseconds since 1970.

    Raises:
        DeliveryError: when the message is no email, or has no address that mail can be sent to.
    """
    content = message.content
    if not isinstance(content, EmailContent):
        raise wrong_content("email", message)
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = _recipient(message)
    mail["Subject"] = content.subject
    mail["Date"] = format_datetime(datetime.fromtimestamp(now_ms / 1000, UTC))
    mail["Message-ID"] = f"<{_UNSAFE_IN_ID.sub('-', message.message_id)}@{sender.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(content.text)
    mail.add_alternative(content.html, subtype="html")
    return mail


def parse_sender(text: str) -> Address | None:
    """Reads `Name <box@domain>` or `box@domain`; None when it is neither."""
    name, specification = parseaddr(text)
    if not text.isprintable() or not _ADDRESS.fullmatch(specification):
        return None
    return Address(display_name=name, addr_spec=specification)


def _recipient(message: OutboundMessage) -> Address:
    address = message.recipients[0] if message.recipients else ""
    if not _ADDRESS.fullmatch(address):
        raise DeliveryError(f"email: message {message.message_id}: {address!r} is no address that mail can go to")
    try:
        return Address(addr_spec=address)
    except ValueError as error:
        raise DeliveryError(f"email: message {message.message_id}: {address!r}: {error}") from error
