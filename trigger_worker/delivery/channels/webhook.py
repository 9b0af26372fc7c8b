"""Webhooks: a signed POST of a JSON document to one address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from trigger_worker.delivery.channels.base import OutboundMessage, wrong_content
from trigger_worker.delivery.channels.http_post import HttpChannel, HttpPost, web_url
from trigger_worker.delivery.content.model import WebhookContent
from warehouse.webhook_signature import decode_secret, signature_headers


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where webhooks go.

    Args:
        url: the address, http or https.
        secret: `whsec_` and a key in base64, shared with the receiver.
        timeout_s: how long one attempt may take in all, in seconds.
    """

    url: str
    secret: str
    timeout_s: float = 10.0

    def __repr__(self) -> str:
        return f"WebhookSettings(url={self.url!r})"


class WebhookChannel(HttpChannel):
    """Posts documents.

    Any 2xx answer means taken. 408, 425, 429, 5xx, and no answer at all may be better later; anything else, redirects
    included, is final.

    Args:
        settings: the receiver.
        now_ms: the clock, in milliseconds since 1970, for the signatures.

    Raises:
        ConfigurationError: when address or secret are none.
    """

    name: Final = "webhook"

    def __init__(self, settings: WebhookSettings, now_ms: Callable[[], int]) -> None:
        self._url = web_url(settings.url, f'the webhook address "{settings.url}"')
        self._key = decode_secret(settings.secret, "the webhook secret")
        self._now_ms = now_ms
        super().__init__(HttpPost("webhook", settings.timeout_s, now_ms))

    async def send(self, message: OutboundMessage) -> None:
        """Posts one document."""
        if not isinstance(message.content, WebhookContent):
            raise wrong_content("webhook", message)
        body = message.content.body
        headers = signature_headers(self._key, message.message_id, self._now_ms() // 1000, body)
        headers["content-type"] = "application/json"
        answer = await self._http.post(self._url, body, headers, str(self._url))
        if not answer.taken:
            raise self._http.refusal(answer, str(self._url))
