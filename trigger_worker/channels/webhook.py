"""Webhooks: a signed POST of a JSON document to one address."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import httpx
import msgspec

from trigger_worker.channels.base import DeliveryPostponed, OutboundMessage, wrong_content
from trigger_worker.channels.retry_after import parse_retry_after
from trigger_worker.channels.signature import decode_secret, signature_headers
from trigger_worker.content.filters import web_address
from trigger_worker.content.model import WebhookContent
from warehouse.errors import ConfigurationError, DeliveryError

#: How much of an answer is read, for the error that names it.
_LONGEST_ANSWER: Final = 2_000


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


class WebhookChannel:
    """Posts documents. Use it as an async context manager, which closes what it opened.

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
        self._url = _address(settings.url)
        self._key = decode_secret(settings.secret)
        self._now_ms = now_ms
        self._timeout_s = settings.timeout_s
        self._client = httpx.AsyncClient(timeout=settings.timeout_s, follow_redirects=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def send(self, message: OutboundMessage) -> None:
        """Posts one document."""
        if not isinstance(message.content, WebhookContent):
            raise wrong_content("webhook", message)
        body = message.content.body
        headers = signature_headers(self._key, message.message_id, self._now_ms() // 1000, body)
        headers["content-type"] = "application/json"
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._client.stream("POST", self._url, content=body, headers=headers) as response,
            ):
                answer = await _beginning(response)
        except (httpx.HTTPError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            raise DeliveryPostponed(
                f"webhook: {self._url} cannot be reached: {reason}", "check that the receiver runs"
            ) from error
        if not response.is_success:
            raise self._failure(response, answer)

    def _failure(self, response: httpx.Response, answer: str) -> DeliveryError:
        message = f"webhook: {self._url} answered {response.status_code}: {answer}"
        if response.status_code in (408, 425, 429) or response.is_server_error:
            retry_after_s = parse_retry_after(response.headers.get("retry-after", ""), self._now_ms())
            return DeliveryPostponed(message, retry_after_s=retry_after_s)
        return DeliveryError(message)


def _address(url: str) -> httpx.URL:
    error = ConfigurationError(f'the webhook address "{url}" is not http(s)', "write https://...")
    if not web_address(url):
        raise error
    try:
        return httpx.URL(url)
    except httpx.InvalidURL:
        raise error from None


async def _beginning(response: httpx.Response) -> str:
    """Reads no more of an answer than an error can show; a short one to its end, so that the connection is kept."""
    read = bytearray()
    async for piece in response.aiter_raw(_LONGEST_ANSWER):
        read += piece
        if len(read) >= _LONGEST_ANSWER:
            break
    return repr(bytes(read[:200]).decode("utf-8", "replace"))
