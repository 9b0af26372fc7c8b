from __future__ import annotations

import pytest

from tests.trigger_worker.recording_channel import RecordingChannel
from trigger_worker.delivery.channels.base import Channel, DeliveryPostponed, OutboundMessage
from trigger_worker.delivery.content.banner import BannerContent
from warehouse.errors import DeliveryError

MESSAGE = OutboundMessage(
    message_id="m",
    site="shop",
    rule="hello",
    visitor_id="ada",
    channel="email",
    recipients=("phone",),
    content=BannerContent(form="bar", title="Hi"),
    expires_at_ms=0,
)


async def test_fails_as_told_and_then_records() -> None:
    fake = RecordingChannel("banner", [DeliveryPostponed("busy", retry_after_s=1), DeliveryError("never")])
    channel: Channel = fake
    with pytest.raises(DeliveryPostponed, match="busy"):
        await channel.send(MESSAGE)
    with pytest.raises(DeliveryError, match="never"):
        await channel.send(MESSAGE)
    assert fake.sent == []
    await channel.send(MESSAGE)
    assert (channel.name, fake.sent) == ("banner", [MESSAGE])
