"""Messages that are sent to be looked at: marked, and recorded nowhere."""

from __future__ import annotations

import uuid
from typing import Final

import msgspec

from trigger_worker.delivery.channels.base import OutboundMessage
from trigger_worker.delivery.content.model import ChatContent, Content, EmailContent, SmsContent
from trigger_worker.rules.language.duration import DAY_MS

#: Stands before what the reader sees first.
MARK: Final = "[Test] "
#: What links and providers' reports name in place of a rule and a visitor.
_NOBODY: Final = "send-test"


def mark_as_test(content: Content, site: str, address: str, now_ms: int) -> OutboundMessage:
    """Return a message to one address that says in its first words that it is a test; a webhook says so by its id."""
    return OutboundMessage(
        message_id=f"test-{uuid.uuid4()}",
        site=site,
        rule=_NOBODY,
        visitor_id=_NOBODY,
        recipients=(address,),
        content=_marked(content),
        expires_at_ms=now_ms + DAY_MS,
        message_class="transactional",
    )


def _marked(content: Content) -> Content:
    match content:
        case EmailContent():
            return msgspec.structs.replace(content, subject=MARK + content.subject)
        case SmsContent() | ChatContent():
            return msgspec.structs.replace(content, text=MARK + content.text)
        case _:
            return content
