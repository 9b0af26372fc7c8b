"""The channels that post JSON to one web address of the operator: `webhook`, signed documents, and `chat`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from trigger_worker.delivery.channels.base import OutboundMessage, wrong_content
from trigger_worker.delivery.channels.http_post import HttpChannel, HttpPost, web_url
from trigger_worker.delivery.content.document import WebhookContent
from trigger_worker.delivery.content.text_message import ChatContent
from warehouse.webhook_signature import decode_secret, signature_headers


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The receiver of webhooks.

    Args:
        url: the receiver's address, http or https.
        secret: `whsec_` and a key in base64, shared with the receiver.
        timeout_s: the most time of one attempt, in seconds.
    """

    url: str
    secret: str
    timeout_s: float = 10.0

    def __repr__(self) -> str:
        return f"WebhookSettings(url={self.url!r})"


class ChatSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The incoming webhook of a chat, as Slack and compatible programs offer it.

    Args:
        url: the incoming webhook's address; whoever knows it can post, so it stays out of errors and logs.
        timeout_s: the most time of one attempt, in seconds.
    """

    url: str
    timeout_s: float = 10.0

    def __repr__(self) -> str:
        return "ChatSettings()"


class WebhookChannel(HttpChannel):
    """Posts each message as a signed document.

    Args:
        settings: the receiver.
        now_ms: returns the present, in epoch ms, for the signatures.

    Raises:
        ConfigurationError: the address or the secret is invalid.
    """

    name: Final = "webhook"

    def __init__(self, settings: WebhookSettings, now_ms: Callable[[], int]) -> None:
        self._url = web_url(settings.url, f'the webhook address "{settings.url}"')
        self._key = decode_secret(settings.secret, "the webhook secret")
        self._now_ms = now_ms
        super().__init__(HttpPost("webhook", settings.timeout_s, now_ms))

    async def send(self, message: OutboundMessage) -> None:
        """Post one document.

        Raises:
            DeliveryUnavailable: the receiver may take the document later.
            DeliveryUncertain: the receiver did not answer.
            DeliveryError: the receiver refused the document, or the message is none.
        """
        if not isinstance(message.content, WebhookContent):
            raise wrong_content("webhook", message)
        body = message.content.body
        headers = signature_headers(self._key, message.message_id, self._now_ms() // 1000, body)
        headers["content-type"] = "application/json"
        await self._post(self._url, body, headers, str(self._url))


class ChatChannel(HttpChannel):
    """Posts each message to the incoming webhook of a chat.

    Args:
        settings: the incoming webhook.
        now_ms: returns the present, in epoch ms.

    Raises:
        ConfigurationError: the address is invalid.
    """

    name: Final = "chat"

    def __init__(self, settings: ChatSettings, now_ms: Callable[[], int]) -> None:
        self._url = web_url(settings.url, "chat_url")
        super().__init__(HttpPost("chat", settings.timeout_s, now_ms))

    async def send(self, message: OutboundMessage) -> None:
        """Post one chat message.

        Raises:
            DeliveryUnavailable: the chat may take the message later.
            DeliveryUncertain: the chat did not answer.
            DeliveryError: the chat refused the message, or the message is none for a chat.
        """
        if not isinstance(message.content, ChatContent):
            raise wrong_content("chat", message)
        body = msgspec.json.encode({"text": message.content.text})
        await self._post(self._url, body, {"content-type": "application/json"}, self._url.host)
