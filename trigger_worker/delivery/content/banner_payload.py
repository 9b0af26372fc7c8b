"""A banner as pages read it: what the channel publishes, and what is stored for the next page."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from trigger_worker.delivery.channels.base import OutboundMessage, wrong_content
from trigger_worker.delivery.content.model import BannerContent


def banner_payload(message: OutboundMessage) -> bytes:
    """Writes a banner as the browser reads it: JSON in UTF-8.

    Raises:
        DeliveryError: when the message is no banner.
    """
    content = message.content
    if not isinstance(content, BannerContent):
        raise wrong_content("banner", message)
    shown = {name: value for name, value in msgspec.to_builtins(content).items() if value is not None}
    expires_at = datetime.fromtimestamp(message.expires_at_ms / 1000, UTC)
    envelope = {
        "message_id": message.message_id,
        "rule": message.rule,
        "variant": message.variant,
        "class": message.message_class,
        "expires_at": expires_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    return msgspec.json.encode({**envelope, **shown})
