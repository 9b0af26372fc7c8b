"""One POST to a peer, and what comes of it for the message."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trigger_worker.delivery.channels.http_peer import HttpPeer, answer
from trigger_worker.delivery.channels.base import DeliveryPostponed, DeliveryUncertain
from trigger_worker.delivery.channels.http_post import (
    LONGEST_RETRY_AFTER_S,
    Answer,
    HttpChannel,
    HttpPost,
    parse_retry_after,
    web_url,
)
from warehouse.errors import ConfigurationError, DeliveryError

#: Sunday, 22 November 2026, 12:00 UTC.
NOON = 1_795_348_800_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("99999999999", LONGEST_RETRY_AFTER_S),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("Sun, 22 Nov 2026 12:00:30 -0000", 30.0),
        ("Fri, 22 Nov 2999 12:00:00 GMT", LONGEST_RETRY_AFTER_S),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("9" * 5000, None),
        ("Sun, 99 Nov 2026 12:00:00 GMT", None),
    ],
)
def test_reads_seconds_and_dates(text: str, seconds: float | None) -> None:
    assert parse_retry_after(text, NOON) == seconds


@given(st.text())
def test_no_header_is_trouble(text: str) -> None:
    seconds = parse_retry_after(text, NOON)
    assert seconds is None or 0 <= seconds <= LONGEST_RETRY_AFTER_S


SECRET = "T0/secret-path"
TIMEOUT_S = 0.2


@pytest.fixture
async def http() -> AsyncIterator[HttpPost]:
    http = HttpPost("hook", 5.0, lambda: NOON)
    yield http
    await http.close()


@pytest.fixture
async def hasty() -> AsyncIterator[HttpPost]:
    """Gives up early."""
    http = HttpPost("hook", TIMEOUT_S, lambda: NOON)
    yield http
    await http.close()


async def post(http: HttpPost, url: str) -> Answer:
    return await http.post(httpx.URL(url), b"body", {"x-name": "value"}, "the receiver")


async def test_body_and_headers_arrive_as_they_were_given(http: HttpPost, http_peer: HttpPeer) -> None:
    await post(http, http_peer.url)
    (request,) = http_peer.requests
    assert (request.line, request.body) == ("POST /hook HTTP/1.1", b"body")
    assert request.headers["x-name"] == "value"


@pytest.mark.parametrize(
    ("status", "taken"),
    [("200 OK", True), ("202 Later", True), ("299 Odd", True), ("301 Moved", False), ("400 No", False)],
)
async def test_an_answer_says_whether_the_peer_took_it(
    http: HttpPost, http_peer: HttpPeer, status: str, taken: bool
) -> None:
    http_peer.answers.append(answer(status, body=b"because"))
    found = await post(http, http_peer.url)
    assert (found.status, found.taken, found.body) == (int(status[:3]), taken, b"because")


async def test_a_redirect_is_an_answer_and_leads_nowhere(http: HttpPost, http_peer: HttpPeer) -> None:
    async with HttpPeer() as elsewhere:
        http_peer.answers.append(answer("307 Elsewhere", f"Location: {elsewhere.url}"))
        assert (await post(http, http_peer.url)).status == 307
    assert elsewhere.requests == []


async def test_a_retry_after_is_counted_from_the_clock(http: HttpPost, http_peer: HttpPeer) -> None:
    http_peer.answers.append(answer("503 Away", "Retry-After: Sun, 22 Nov 2026 12:00:30 GMT"))
    assert (await post(http, http_peer.url)).retry_after_s == 30.0
    assert (await post(http, http_peer.url)).retry_after_s is None


async def test_a_short_answer_keeps_the_connection_for_the_next_post(http: HttpPost, http_peer: HttpPeer) -> None:
    for _ in range(3):
        await post(http, http_peer.url)
    assert (len(http_peer.requests), http_peer.connections) == (3, 1)


async def test_of_a_long_answer_only_the_beginning_is_read(http: HttpPost, http_peer: HttpPeer) -> None:
    # The peer promises far more than it sends: whoever read on would wait for it in vain.
    http_peer.answers.append(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 10_000)
    found = await post(http, http_peer.url)
    assert found.taken
    assert 2_000 <= len(found.body) <= 4_000
    assert (await post(http, http_peer.url)).taken


async def test_a_packed_answer_is_not_unpacked(http: HttpPost, http_peer: HttpPeer) -> None:
    http_peer.answers.append(answer("200 OK", "Content-Encoding: gzip", body=b"no gzip at all"))
    assert (await post(http, http_peer.url)).body == b"no gzip at all"


@pytest.mark.parametrize(
    "reply",
    [None, b"", b"this is not HTTP\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"],
    ids=["no answer", "reset", "garbage", "half an answer"],
)
async def test_without_a_whole_answer_nobody_knows_whether_it_was_taken(
    hasty: HttpPost, http_peer: HttpPeer, reply: bytes | None
) -> None:
    http_peer.answers.append(reply)
    with pytest.raises(DeliveryUncertain, match=r"hook: the receiver did not answer: .") as failure:
        await post(hasty, http_peer.url)
    assert "whether it was taken" in failure.value.hint
    assert http_peer.url not in str(failure.value)


async def test_an_attempt_ends_in_time_though_the_peer_goes_on_to_answer(hasty: HttpPost) -> None:
    ended = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.readuntil(b"body")
            writer.write(b"HTTP/1.1 200 OK\r\n")
            while not reader.at_eof():
                writer.write(b"x-more: of it\r\n")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(1), TIMEOUT_S / 10)
        writer.transport.abort()
        ended.set()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with asyncio.timeout(50 * TIMEOUT_S):
            with pytest.raises(DeliveryUncertain, match="did not answer"):
                await post(hasty, url)
            await ended.wait()


async def test_a_peer_that_cannot_be_connected_to_got_nothing(http: HttpPost) -> None:
    with pytest.raises(DeliveryPostponed, match=r"hook: the receiver cannot be reached: .") as failure:
        await post(http, f"http://127.0.0.1:1/{SECRET}")
    assert not isinstance(failure.value, DeliveryUncertain)
    assert failure.value.hint == "check that the receiver runs"


async def test_an_address_is_a_secret_that_no_error_tells(hasty: HttpPost, http_peer: HttpPeer) -> None:
    http_peer.answers.append(None)
    origin = http_peer.url.removesuffix("/hook")
    for url in (f"{origin}/{SECRET}", f"http://127.0.0.1:1/{SECRET}"):
        with pytest.raises(DeliveryPostponed) as failure:
            await post(hasty, url)
        assert SECRET not in str(failure.value)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 599])
async def test_trouble_that_may_pass_is_tried_again_when_the_peer_says(http: HttpPost, status: int) -> None:
    error = http.refusal(Answer(status, b"busy", retry_after_s=7.0), "the receiver")
    assert isinstance(error, DeliveryPostponed)
    assert error.retry_after_s == 7.0
    assert error.message == f"hook: the receiver answered {status}: 'busy'"


@pytest.mark.parametrize("status", [300, 301, 400, 401, 403, 404, 410, 413, 422, 499])
async def test_any_other_refusal_is_final(http: HttpPost, status: int) -> None:
    error = http.refusal(Answer(status, b"", retry_after_s=7.0), "the receiver")
    assert type(error) is DeliveryError
    assert not error.retryable


async def test_a_refusal_shows_the_beginning_of_the_answer_and_commands_no_terminal(http: HttpPost) -> None:
    error = http.refusal(Answer(400, b"\x1b[2J\xff" + b"y" * 1_000), "the receiver")
    assert "\x1b" not in error.message
    assert "\\x1b[2J\N{REPLACEMENT CHARACTER}" in error.message
    assert 150 < error.message.count("y") <= 200


async def test_a_channel_that_is_left_closes_its_connections(http_peer: HttpPeer) -> None:
    http = HttpPost("hook", 5.0, lambda: NOON)
    async with HttpChannel(http):
        await post(http, http_peer.url)
    with pytest.raises(RuntimeError, match="closed"):
        await post(http, http_peer.url)


def test_an_address_of_the_web_is_read() -> None:
    assert web_url("https://hook.example/path?x=1", "the webhook address") == "https://hook.example/path?x=1"


@pytest.mark.parametrize("text", ["", "hook", "ftp://hook.example", "https://", f"javascript:{SECRET}", f"/{SECRET}"])
def test_what_is_no_address_of_the_web_is_refused_and_not_told(text: str) -> None:
    with pytest.raises(ConfigurationError, match="the webhook address is not http") as refusal:
        web_url(text, "the webhook address")
    assert SECRET not in str(refusal.value)
