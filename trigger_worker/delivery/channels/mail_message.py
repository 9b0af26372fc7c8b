"""Builds the MIME message of an email."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import Policy, default
from email.utils import format_datetime, parseaddr
from typing import Final

from trigger_worker.delivery.channels.base import OutboundMessage
from trigger_worker.delivery.content.email import EmailContent
from warehouse.addresses import email_address
from warehouse.errors import DeliveryError

#: A server of one's own may be named by one word.
_LOCAL: Final = re.compile(r"(?=[^@]{1,64}@)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9-]{1,63}")
_UNSAFE_IN_ID: Final = re.compile(r"[^A-Za-z0-9._-]")
#: Most bytes of a line, its end not counted (RFC 5322, section 2.1.1).
_LONGEST_LINE: Final = 998


class _OneLine(UnstructuredHeader):
    """A header that is never folded: Python would fold an address into encoded words, which no mail program reads."""

    max_count = 1

    def fold(self, *, policy: Policy) -> str:
        """Return the header as one line of the mail."""
        return f"{self.name}: {self}{policy.linesep}"  # type: ignore[attr-defined]  # the registry adds the base class


_HEADERS: Final = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _OneLine)  # type: ignore[arg-type]  # the registry adds the base class
_POLICY: Final = default.clone(header_factory=_HEADERS)


def mail_message(
    message: OutboundMessage, content: EmailContent, sender: Address, now_ms: int, way_out: str = ""
) -> EmailMessage:
    """Return an email with text and HTML as its two alternatives.

    Args:
        message: the message; its first recipient gets the email.
        content: the rendered email.
        sender: the sender's address.
        now_ms: the date of the email, in epoch ms.
        way_out: the address where mail programs unsubscribe the reader with one click (RFC 8058); '' for none. An
            address that is too long for a line of mail, as ids of foreign letters make it, is left out of the header.

    Raises:
        DeliveryError: the message has no recipient that mail can be sent to.
    """
    mail = EmailMessage(_POLICY)
    mail["From"] = sender
    mail["To"] = _recipient(message)
    mail["Subject"] = content.subject
    mail["Date"] = format_datetime(datetime.fromtimestamp(now_ms / 1000, UTC))
    mail["Message-ID"] = f"<{_UNSAFE_IN_ID.sub('-', message.message_id)}@{sender.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    if way_out and len(f"List-Unsubscribe: <{way_out}>") <= _LONGEST_LINE:
        mail["List-Unsubscribe"] = f"<{way_out}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(content.text)
    mail.add_alternative(content.html, subtype="html")
    return mail


def parse_sender(text: str) -> Address | None:
    """Parse `Name <box@domain>` or `box@domain`; return None when the text is neither."""
    name, specification = parseaddr(text)
    address = specification if _LOCAL.fullmatch(specification) else email_address(specification)
    if not text.isprintable() or not address.isascii() or not address:
        return None
    return Address(display_name=name, addr_spec=address)


def _recipient(message: OutboundMessage) -> Address:
    address = message.recipients[0] if message.recipients else ""
    # One address and nothing else: no second one, no comment, no line break.
    if not (_LOCAL.fullmatch(address) or (address and email_address(address) == address)):
        raise DeliveryError(f"email: message {message.message_id}: {address!r} is no address that mail can go to")
    mailbox, _, domain = address.rpartition("@")
    try:
        return Address(username=mailbox, domain=domain)
    except ValueError as error:
        raise DeliveryError(f"email: message {message.message_id}: {address!r}: {error}") from error
