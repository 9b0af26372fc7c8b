"""Posts messages over HTTP and classifies the answers: the peer took the message, may take it later, or never will."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final, Self

import httpx
import msgspec

from trigger_worker.delivery.channels.base import DeliveryPostponed, DeliveryUncertain
from trigger_worker.delivery.content.filters import web_address
from warehouse.errors import ConfigurationError, DeliveryError
from warehouse.time_reading import read_time
from warehouse.time_text import TimeTrouble

#: The longest `Retry-After` that is obeyed, in seconds.
LONGEST_RETRY_AFTER_S: Final = 86_400.0

#: How much of an answer's body is read, in bytes.
_LONGEST_ANSWER: Final = 2_000
#: Statuses below 500 after which a later attempt may succeed.
_PASSING: Final = frozenset({408, 425, 429})
_NOT_CONNECTED: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Answer(msgspec.Struct, frozen=True):
    """The answer of a peer.

    Args:
        status: the HTTP status.
        body: the beginning of the body.
        retry_after_s: how long the peer asks to wait, in seconds; None when it did not say.
    """

    status: int
    body: bytes
    retry_after_s: float | None = None

    @property
    def taken(self) -> bool:
        """Tell whether the peer took the message: any 2xx status."""
        return 200 <= self.status < 300


class HttpPost:
    """The HTTP client of one channel, whose connections stay open. Redirects are not followed but final answers.

    Args:
        channel: the channel's name, for error messages.
        timeout_s: the most time of one attempt, in seconds.
        now_ms: returns the present, in epoch ms.
    """

    def __init__(self, channel: str, timeout_s: float, now_ms: Callable[[], int]) -> None:
        self._channel = channel
        self._timeout_s = timeout_s
        self._now_ms = now_ms
        # Connecting must time out before the attempt as a whole, so that it is known that nothing was handed over.
        timeout = httpx.Timeout(timeout_s, connect=timeout_s / 2, pool=timeout_s / 2)
        self._client = httpx.AsyncClient(timeout=timeout, follow_redirects=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def post(self, url: httpx.URL, body: bytes, headers: Mapping[str, str], peer: str) -> Answer:
        """Post one body and return the answer.

        Args:
            url: the peer's address.
            body: the body.
            headers: the headers.
            peer: the peer's name in error messages, because the address itself may be a secret.

        Raises:
            DeliveryPostponed: the peer cannot be connected to.
            DeliveryUncertain: the peer was connected to and gave no answer.
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
        """Return the error for an answer other than 2xx: final, except for 408, 425, 429 and 5xx.

        Args:
            answer: the answer.
            peer: the peer's name in the error message.
        """
        shown = repr(answer.body[:200].decode("utf-8", "replace"))
        message = f"{self._channel}: {peer} answered {answer.status}: {shown}"
        if answer.status in _PASSING or answer.status >= 500:
            return DeliveryPostponed(message, retry_after_s=answer.retry_after_s)
        return DeliveryError(message)


class HttpChannel:
    """The base of channels over HTTP: an async context manager that closes the channel's connections.

    Args:
        http: the channel's HTTP client.
    """

    def __init__(self, http: HttpPost) -> None:
        self._http = http

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        await self._http.close()

    async def _post(self, url: httpx.URL, body: bytes, headers: Mapping[str, str], peer: str) -> None:
        """Post one message; raise the error that an answer other than 2xx stands for."""
        answer = await self._http.post(url, body, headers, peer)
        if not answer.taken:
            raise self._http.refusal(answer, peer)


def web_url(text: str, what: str) -> httpx.URL:
    """Parse an http(s) address that an operator configured.

    Args:
        text: the address.
        what: a noun for the address, for the error message: `the webhook address`.

    Raises:
        ConfigurationError: the text is no such address; the message does not repeat it, as it may hold a secret.
    """
    error = ConfigurationError(f"{what} is not http(s)", "write https://...")
    if not web_address(text):
        raise error
    try:
        return httpx.URL(text)
    except httpx.InvalidURL:
        raise error from None


def parse_retry_after(text: str, now_ms: int) -> float | None:
    """Parse the header `Retry-After`, a number of seconds or a date (RFC 9110, section 10.2.3).

    Args:
        text: the value of the header.
        now_ms: the present, in epoch ms.

    Returns:
        Seconds from now, from 0 to a day; None when the text is neither a number nor a date.
    """
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 12:
        seconds = float(text)
    else:
        # A date begins with its weekday; what begins with anything else is a number that is none of seconds.
        found = read_time(text) if text[:1].isalpha() else TimeTrouble.NO_FORM
        if isinstance(found, TimeTrouble):
            return None
        seconds = (found.ms - now_ms) / 1000
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


async def _beginning(response: httpx.Response) -> bytes:
    """Return the beginning of a body, and read a short body to its end, so that the connection can be used again."""
    read = bytearray()
    async for piece in response.aiter_raw(_LONGEST_ANSWER):
        read += piece
        if len(read) >= _LONGEST_ANSWER:
            break
    return bytes(read)
