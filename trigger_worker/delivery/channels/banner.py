"""The channel `banner`: publishes on-site banners to the open pages of a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from trigger_worker.delivery.channels.base import OutboundMessage, wrong_content
from trigger_worker.delivery.content.banner import BannerContent, banner_payload
from warehouse.banner_notice import BannerNotice
from warehouse.errors import DeliveryError

#: Hands a notice to the bus, which takes it to every collector.
Publish = Callable[[BannerNotice], None]


class BannerChannel:
    """Publishes a banner to all of a person's browsers; each browser shows it at most once, by its message id.

    Args:
        publish: publishes a notice on the bus.
    """

    name: Final = "banner"

    def __init__(self, publish: Publish) -> None:
        self._publish = publish

    async def send(self, message: OutboundMessage) -> None:
        """Publish one banner.

        Raises:
            DeliveryError: the message is no banner, or has no browser to go to.
        """
        if not message.recipients:
            raise DeliveryError(f"banner: message {message.message_id} has no browser to go to")
        if not isinstance(message.content, BannerContent):
            raise wrong_content("banner", message)
        notice = BannerNotice(
            site=message.site,
            message_id=message.message_id,
            anonymous_ids=message.recipients,
            expires_at=message.expires_at_ms,
            banner=msgspec.Raw(banner_payload(message.content, message.envelope())),
        )
        self._publish(notice)
