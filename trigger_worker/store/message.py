"""The types of messages as they are stored: a message that waits in the queue, and the states that it reaches."""

from __future__ import annotations

import uuid
from typing import Any, Final, Literal

import msgspec

from trigger_worker.rules.model import MessageClass
from trigger_worker.store.people import Visitor
from warehouse.message_identity import MessageIdentity

MessageState = Literal["pending", "sent", "delivered", "shown", "opened", "clicked", "dismissed", "failed", "cancelled"]
_NAMESPACE: Final = uuid.UUID("6d6d6d73-6700-7000-8000-000000000000")


class QueuedMessage(MessageIdentity, frozen=True, kw_only=True):
    """A message that a firing asked for and that is not settled yet.

    Args:
        fire_id: the firing.
        version: of the rule that fired.
        template: the name of the template that renders it.
        position: of its entry in the rule's `send`.
        tags: the kinds of offer that it carries.
        message_class: marketing or transactional.
        priority: the rule's; the higher goes first.
        fired_at, due_at, expires_at: when the rule fired, when the message is to be sent, and from when on it is
            worth nothing, epoch ms.
        attempts: how often its channel was tried.
        event: fields of the event that completed the pattern.
        is_tried: whether an attempt has begun whose outcome is not recorded yet.
        retries: how often an operator asked for it again after it had failed.
        recorded_at: `at` of its latest row, epoch ms; every later row is later, whatever clocks say.
    """

    fire_id: str
    version: str
    template: str
    position: int
    tags: tuple[str, ...]
    message_class: MessageClass
    priority: int
    fired_at: int
    due_at: int
    expires_at: int
    attempts: int
    event: dict[str, Any]
    is_tried: bool = False
    retries: int = 0
    recorded_at: int = 0

    @property
    def visitor(self) -> Visitor:
        """The visitor whom it was asked for."""
        return Visitor(self.site, self.visitor_id)

    def next_row_at(self, now_ms: int) -> int:
        """Return the `at` of its next row: now (epoch ms), but later than its earlier rows."""
        return max(now_ms, self.recorded_at + 1)


class MessageRecord(msgspec.Struct, frozen=True):
    """A state that a message reached at `at` (epoch ms).

    Args:
        recipients: anonymous ids whose pages may show a banner.
        content: a banner's JSON.
        detail: attempts, errors, and what a restart must know.
        addresses: keyed hashes of the addresses that it was sent to.
    """

    message: QueuedMessage
    state: MessageState
    at: int
    recipients: tuple[str, ...] = ()
    content: str = ""
    detail: dict[str, Any] = {}
    addresses: tuple[str, ...] = ()


def message_id(fire_id: str, position: int) -> str:
    """Return the id of a firing's message: the same whenever it is computed."""
    return str(uuid.uuid5(_NAMESPACE, f"{fire_id}/{position}"))
