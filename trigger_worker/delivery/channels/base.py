"""The contract of channels: the message that a channel gets, the attempt it makes, and the errors it raises."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

from trigger_worker.delivery.content.model import Content
from trigger_worker.rules.model import MessageClass
from warehouse.errors import DeliveryError, DeliveryUnavailable
from warehouse.message_identity import MessageIdentity
from warehouse.message_token import MessageToken


class OutboundMessage(MessageIdentity, frozen=True, kw_only=True):
    """One rendered message to one person; providers get its `message_id` as the idempotency key.

    Args:
        recipients: the person's addresses on the channel, the preferred one first: email addresses, for example, or
            anonymous ids for banners.
        content: the rendered content.
        expires_at_ms: the instant from which the message is worth nothing, epoch ms.
        variant: the arm of the experiment; '' without one.
        message_class: marketing or transactional.
        analytics: the person's answer about analytics; None when never asked.
        token: identifies the message in addresses that lead back to the collector; None to add no such addresses.
    """

    recipients: tuple[str, ...]
    content: Content
    expires_at_ms: int
    variant: str = ""
    message_class: MessageClass = "marketing"
    analytics: bool | None = None
    token: MessageToken | None = None

    def envelope(self) -> dict[str, str]:
        """Return the properties of the message that a page shows it by and reports back; `expires_at` is ISO 8601."""
        expires_at = datetime.fromtimestamp(self.expires_at_ms / 1000, UTC)
        return {
            "message_id": self.message_id,
            "rule": self.rule,
            "variant": self.variant,
            "class": self.message_class,
            "expires_at": expires_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }


class Channel(Protocol):
    """A way to deliver messages. A channel makes one attempt per call; its caller decides whether to repeat it."""

    @property
    def name(self) -> str:
        """Return the channel's name in rules."""

    async def send(self, message: OutboundMessage) -> None:
        """Hand one message to the channel's peer; return once the peer has taken it.

        Raises:
            DeliveryUnavailable: the peer did not take the message, but may take it later.
            DeliveryUncertain: the peer may have taken the message, or not.
            DeliveryError: the peer will never take the message.
        """


class DeliveryPostponed(DeliveryUnavailable):
    """The peer cannot take the message now, and may have said when it can.

    Args:
        message: the failure, naming the peer.
        hint: the remedy.
        retry_after_s: how long the peer asks to wait, in seconds; None when it did not say.
    """

    def __init__(self, message: str, hint: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, hint)
        self.retry_after_s = retry_after_s


class DeliveryUncertain(DeliveryPostponed):
    """The message was handed over and not answered: the peer may have taken it, or not."""


def wrong_content(channel: str, message: OutboundMessage) -> DeliveryError:
    """Return the error for a message whose content belongs to another channel."""
    kind = type(message.content).__name__
    return DeliveryError(f"{channel}: message {message.message_id} carries {kind}, which this channel cannot send")
