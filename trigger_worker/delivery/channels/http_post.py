"""One POST to a peer, and what its answer means for the message: taken, later, or never."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Final, Self

import httpx
import msgspec

from trigger_worker.delivery.channels.base import DeliveryPostponed, DeliveryUncertain
from trigger_worker.delivery.content.filters import web_address
from warehouse.errors import ConfigurationError, DeliveryError

#: How much of an answer is read, in bytes.
_LONGEST_ANSWER: Final = 2_000
#: Statuses below 500 that may be another one later.
_PASSING: Final = frozenset({408, 425, 429})
_NOT_CONNECTED: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Answer(msgspec.Struct, frozen=True):
    """What a peer answered.

    Args:
        body: its beginning.
        retry_after_s: how long the peer asks to be left alone, in seconds; None when it did not say.
    """

    status: int
    body: bytes
    retry_after_s: float | None = None

    @property
    def taken(self) -> bool:
        """Whether the peer took what it was sent."""
        return 200 <= self.status < 300


class HttpPost:
    """Posts for one channel, on connections that stay open. Redirects are answers like any other: never followed.

    Args:
        channel: its name, for errors.
        timeout_s: how long one attempt may take in all, in seconds.
        now_ms: the clock, in milliseconds since 1970.
    """

    def __init__(self, channel: str, timeout_s: float, now_ms: Callable[[], int]) -> None:
        self._channel = channel
        self._timeout_s = timeout_s
        self._now_ms = now_ms
        # Connecting must fail by itself, before the attempt as a whole does: then nothing was handed over.
        timeout = httpx.Timeout(timeout_s, connect=timeout_s / 2, pool=timeout_s / 2)
        self._client = httpx.AsyncClient(timeout=timeout, follow_redirects=False)

    async def close(self) -> None:
        """Close what was opened."""
        await self._client.aclose()

    async def post(self, url: httpx.URL, body: bytes, headers: Mapping[str, str], peer: str) -> Answer:
        """Post once.

        Args:
            peer: how errors call the address, which may be a secret itself.

        Raises:
            DeliveryPostponed: the peer cannot be connected to.
            DeliveryUncertain: it was, and gave no answer.
        """
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._client.stream("POST", url, content=body, headers=dict(headers)) as response,
            ):
                beginning = await _beginning(response)
        except _NOT_CONNECTED as error:
            raise DeliveryPostponed(
                f"{self._channel}: {peer} cannot be reached: {_reason(error)}", "check that the receiver runs"
            ) from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise DeliveryUncertain(
                f"{self._channel}: {peer} did not answer: {_reason(error)}", "see there whether it was taken"
            ) from error
        retry_after_s = parse_retry_after(response.headers.get("retry-after", ""), self._now_ms())
        return Answer(response.status_code, beginning, retry_after_s)

    def refusal(self, answer: Answer, peer: str) -> DeliveryError:
        """The error for an answer that is no success: 408, 425, 429 and 5xx may pass, all else is final."""
        shown = repr(answer.body[:200].decode("utf-8", "replace"))
        message = f"{self._channel}: {peer} answered {answer.status}: {shown}"
        if answer.status in _PASSING or answer.status >= 500:
            return DeliveryPostponed(message, retry_after_s=answer.retry_after_s)
        return DeliveryError(message)


class HttpChannel:
    """What channels over HTTP have in common. Use one as an async context manager, which closes what it opened.

    Args:
        http: posts for it.
    """

    def __init__(self, http: HttpPost) -> None:
        self._http = http

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        await self._http.close()


def web_url(text: str, what: str) -> httpx.URL:
    """Read an address of the web that an operator configured.

    Args:
        what: how the error calls it: `the webhook address`.

    Raises:
        ConfigurationError: when it is none; the message does not repeat it, for it may hold a secret.
    """
    error = ConfigurationError(f"{what} is not http(s)", "write https://...")
    if not web_address(text):
        raise error
    try:
        return httpx.URL(text)
    except httpx.InvalidURL:
        raise error from None


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


async def _beginning(response: httpx.Response) -> bytes:
    """Read no more of an answer than an error can show; a short one to its end, so that the connection is kept."""
    read = bytearray()
    async for piece in response.aiter_raw(_LONGEST_ANSWER):
        read += piece
        if len(read) >= _LONGEST_ANSWER:
            break
    return bytes(read)


#: A peer cannot make us wait longer, in seconds.
LONGEST_RETRY_AFTER_S: Final = 86_400.0


def parse_retry_after(text: str, now_ms: int) -> float | None:
    """Reads `Retry-After`: a number of seconds, or a date.

    Args:
        text: the value of the header.
        now_ms: the present, in milliseconds since 1970.

    Returns:
        Seconds from now, from 0 to a day; None when the text is neither.
    """
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 12:
        seconds = float(text)
    else:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = zoned.timestamp() - now_ms / 1000
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)
