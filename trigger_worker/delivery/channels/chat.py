"""Chat: a POST to an incoming webhook as Slack has them, and others that understand its messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from trigger_worker.delivery.channels.base import OutboundMessage, wrong_content
from trigger_worker.delivery.channels.http_post import HttpChannel, HttpPost, web_url
from trigger_worker.delivery.content.model import ChatContent


class ChatSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where chat messages go.

    Args:
        url: the incoming webhook's address; whoever knows it can post, so it stays out of errors and logs.
        timeout_s: how long one attempt may take in all, in seconds.
    """

    url: str
    timeout_s: float = 10.0

    def __repr__(self) -> str:
        return "ChatSettings()"


class ChatChannel(HttpChannel):
    """Posts messages.

    Args:
        settings: the incoming webhook.
        now_ms: the clock, in milliseconds since 1970.

    Raises:
        ConfigurationError: when the address is none.
    """

    name: Final = "chat"

    def __init__(self, settings: ChatSettings, now_ms: Callable[[], int]) -> None:
        self._url = web_url(settings.url, "chat_url")
        super().__init__(HttpPost("chat", settings.timeout_s, now_ms))

    async def send(self, message: OutboundMessage) -> None:
        """Posts one message."""
        if not isinstance(message.content, ChatContent):
            raise wrong_content("chat", message)
        body = msgspec.json.encode({"text": message.content.text})
        answer = await self._http.post(self._url, body, {"content-type": "application/json"}, self._url.host)
        if not answer.taken:
            raise self._http.refusal(answer, self._url.host)
