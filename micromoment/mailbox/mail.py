"""The parsing of a received email into the fields that the inbox shows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr

import msgspec


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A received email.

    Args:
        id: the number of the email in the mailbox, counted from 1.
        received_at: the time of receipt, in UTC.
        sender: the address of the header `From`; the sender of the envelope when the header is missing.
        sender_name: the name in the header `From`.
        recipients: the addresses of the envelope.
        subject: the subject, decoded.
        headers: all headers in their order, decoded.
        html: the HTML part; empty without one.
        text: the plain text part; empty without one.
    """

    id: int
    received_at: datetime
    sender: str
    sender_name: str
    recipients: tuple[str, ...]
    subject: str
    headers: tuple[tuple[str, str], ...]
    html: str
    text: str


def parse_mail(
    content: bytes, *, mail_id: int, received_at: datetime, sender: str, recipients: tuple[str, ...]
) -> Mail:
    """Return an email parsed into its fields; bytes that cannot be read are replaced, and no email is refused.

    Args:
        content: the email as it came over the wire.
        mail_id: the number of the email in the mailbox.
        received_at: the time of receipt, in UTC.
        sender: the sender of the envelope.
        recipients: the recipients of the envelope.
    """
    message = message_from_bytes(content, policy=policy.default)
    headers = tuple(_headers(message))
    named = {name.lower(): value for name, value in reversed(headers)}
    sender_name, address = parseaddr(named.get("from", ""))
    return Mail(
        id=mail_id,
        received_at=received_at,
        sender=address or _readable(sender),
        sender_name=sender_name,
        recipients=tuple(_readable(recipient) for recipient in recipients),
        subject=named.get("subject", ""),
        headers=headers,
        html=_part(message, "html"),
        text=_part(message, "plain"),
    )


def _headers(message: EmailMessage) -> Iterator[tuple[str, str]]:
    for name, raw in message.raw_items():
        try:
            value = str(policy.default.header_fetch_parse(name, raw))
        except Exception:  # noqa: BLE001 - the standard library's parser raises anything for malformed headers
            value = raw
        yield _readable(name), _readable(value)


def _readable(text: str) -> str:
    """Return text on one line, with a question mark for every character that has no UTF-8 form."""
    return " ".join(text.encode("utf-8", "replace").decode("utf-8").split())


def _part(message: EmailMessage, subtype: str) -> str:
    for part in message.walk():
        if part.get_content_type() == f"text/{subtype}":
            return _text(part)
    return ""


def _text(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        return payload.decode("utf-8", "replace")
