"""On-site banners: published to the visitor's open pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from trigger_worker.delivery.channels.base import OutboundMessage
from trigger_worker.delivery.content.banner_payload import banner_payload
from warehouse.banner_notice import BannerNotice
from warehouse.errors import DeliveryError

#: Hands a notice to the bus, where every collector hears it. Raises DeliveryUnavailable when the bus is away.
Publish = Callable[[bytes], Awaitable[None]]


class BannerChannel:
    """Publishes a banner to every browser of the visitor; each shows it at most once, by its message id.

    Args:
        publish: hands a notice to the bus.
    """

    name: Final = "banner"

    def __init__(self, publish: Publish) -> None:
        self._publish = publish

    async def send(self, message: OutboundMessage) -> None:
        """Publishes one banner."""
        if not message.recipients:
            raise DeliveryError(f"banner: message {message.message_id} has no browser to go to")
        notice = BannerNotice(
            site=message.site,
            message_id=message.message_id,
            anonymous_ids=message.recipients,
            expires_at=message.expires_at_ms,
            banner=msgspec.Raw(banner_payload(message)),
        )
        await self._publish(msgspec.json.encode(notice))
