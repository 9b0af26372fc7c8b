"""What every channel takes, does, and raises."""

from __future__ import annotations

from typing import Protocol

import msgspec

from trigger_worker.delivery.content.model import Content
from trigger_worker.rules.model import MessageClass
from warehouse.errors import DeliveryError, DeliveryUnavailable
from warehouse.message_token import MessageToken


class OutboundMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One rendered message on its way to one visitor.

    Args:
        message_id: the same for every attempt; providers get it as the key that makes repeats harmless.
        site: the site that the visitor is on.
        rule: the rule that sends it.
        visitor_id: the person.
        recipients: addresses on the channel, the preferred one first: email addresses, or anonymous ids for banners.
        content: what it says.
        expires_at_ms: when it is worth nothing any more, in milliseconds since 1970.
        variant: the arm of the experiment; empty without one.
        message_class: marketing or transactional.
        analytics: whether the visitor agreed to be observed; None when never asked.
        token: names the message in addresses that lead back to it; None where there are none.
    """

    message_id: str
    site: str
    rule: str
    visitor_id: str
    recipients: tuple[str, ...]
    content: Content
    expires_at_ms: int
    variant: str = ""
    message_class: MessageClass = "marketing"
    analytics: bool | None = None
    token: MessageToken | None = None


class Channel(Protocol):
    """Hands messages over to whoever brings them to the visitor. It tries once; retries are the caller's."""

    @property
    def name(self) -> str:
        """What rules call the channel."""

    async def send(self, message: OutboundMessage) -> None:
        """Hands one message over; when this returns, the peer has taken it.

        Raises:
            DeliveryUnavailable: the peer may take it later.
            DeliveryError: the peer never will.
        """


class DeliveryPostponed(DeliveryUnavailable):
    """A peer that cannot take the message now, and may have said when it can.

    Args:
        message: what went wrong, naming the peer.
        hint: what to do about it.
        retry_after_s: how long the peer asks to be left alone, in seconds; None when it did not say.
    """

    def __init__(self, message: str, hint: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, hint)
        self.retry_after_s = retry_after_s


class DeliveryUncertain(DeliveryPostponed):
    """A message that was handed over and not answered: the peer may have taken it, or not."""


def wrong_content(channel: str, message: OutboundMessage) -> DeliveryError:
    """The error for a message whose content is another channel's."""
    kind = type(message.content).__name__
    return DeliveryError(f"{channel}: message {message.message_id} carries {kind}, which this channel cannot send")
