"""A channel that delivers to a list, for tests."""

from __future__ import annotations

from collections.abc import Iterable

from trigger_worker.delivery.channels.base import OutboundMessage
from warehouse.errors import DeliveryError


class RecordingChannel:
    """Keep the messages that are sent.

    Args:
        name: the channel that it stands for.
        failures: raised one after the other, instead of sending, until they are used up.
    """

    def __init__(self, name: str, failures: Iterable[DeliveryError] = ()) -> None:
        self.name = name
        self.sent: list[OutboundMessage] = []
        self._failures = list(failures)

    async def send(self, message: OutboundMessage) -> None:
        """Keep the message, or raise the next failure."""
        if self._failures:
            raise self._failures.pop(0)
        self.sent.append(message)
