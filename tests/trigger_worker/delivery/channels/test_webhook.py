"""Webhooks against a receiver, and chat messages against an incoming webhook as Slack has them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator

import pytest

from tests.trigger_worker.delivery.channels.http_peer import HttpPeer, Request, answer, ok
from trigger_worker.delivery.channels.base import DeliveryPostponed, OutboundMessage
from trigger_worker.delivery.channels.webhook import ChatChannel, ChatSettings, WebhookChannel, WebhookSettings
from trigger_worker.delivery.content.banner import BannerContent
from trigger_worker.delivery.content.document import WebhookContent
from trigger_worker.delivery.content.model import Content
from trigger_worker.delivery.content.text_message import ChatContent, SmsContent
from warehouse.errors import ConfigurationError, DeliveryError

NOW = 1_795_348_800_500
KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + base64.b64encode(KEY).decode()


def channel(url: str, timeout_s: float = 5.0) -> WebhookChannel:
    return WebhookChannel(WebhookSettings(url=url, secret=SECRET, timeout_s=timeout_s), lambda: NOW)


def message(content: Content | None = None) -> OutboundMessage:
    return OutboundMessage(
        message_id="0198-a",
        site="shop",
        rule="cart_abandoned",
        visitor_id="ada",
        channel="webhook",
        recipients=("ada",),
        content=content or WebhookContent('{"name":"Grüße"}'.encode()),
        expires_at_ms=NOW + 1,
    )


def is_genuine(request: Request) -> bool:
    """Verifies as a receiver does, from the words of the specification."""
    signed = b".".join(
        (request.headers["webhook-id"].encode(), request.headers["webhook-timestamp"].encode(), request.body)
    )
    expected = base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
    return f"v1,{expected}" in request.headers["webhook-signature"].split(" ")


async def test_the_receiver_can_verify_what_it_gets(http_peer: HttpPeer) -> None:
    async with channel(http_peer.url) as webhook:
        await webhook.send(message())
    [request] = http_peer.requests
    assert request.line == "POST /hook HTTP/1.1"
    assert request.body == '{"name":"Grüße"}'.encode()
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == "0198-a"
    assert request.headers["webhook-timestamp"] == str(NOW // 1000)
    assert is_genuine(request)
    assert not is_genuine(Request(request.line, request.headers, b'{"name":"forged"}'))


async def test_a_connection_is_used_again(http_peer: HttpPeer) -> None:
    async with channel(http_peer.url) as webhook:
        for _ in range(3):
            await webhook.send(message())
    assert (len(http_peer.requests), http_peer.connections) == (3, 1)


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "204 No Content"])
async def test_every_2xx_is_taken(http_peer: HttpPeer, status: str) -> None:
    http_peer.answers.append(answer(status))
    async with channel(http_peer.url) as webhook:
        await webhook.send(message())
    assert len(http_peer.requests) == 1


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "400 Bad", "401 No", "404 Gone missing", "410 Gone", "422 Wrong"]
)
async def test_a_refusal_is_final_and_redirects_are_not_followed(http_peer: HttpPeer, status: str) -> None:
    http_peer.answers.append(answer(status, f"Location: {http_peer.url}", body=b"because"))
    async with channel(http_peer.url) as webhook:
        with pytest.raises(DeliveryError, match=f"answered {status[:3]}: 'because'") as failure:
            await webhook.send(message())
    assert not failure.value.retryable
    assert len(http_peer.requests) == 1


@pytest.mark.parametrize(
    ("status", "headers", "retry_after_s"),
    [
        ("429 Slow down", ("Retry-After: 7",), 7.0),
        ("503 Away", ("Retry-After: Sun, 22 Nov 2026 12:01:00 GMT",), 59.5),
        ("503 Away", ("Retry-After: whenever",), None),
        ("500 Oops", (), None),
        ("502 Oops", (), None),
        ("408 Timeout", (), None),
        ("425 Too early", (), None),
    ],
)
async def test_trouble_of_the_receiver_may_pass(
    http_peer: HttpPeer, status: str, headers: tuple[str, ...], retry_after_s: float | None
) -> None:
    http_peer.answers.append(answer(status, *headers))
    async with channel(http_peer.url) as webhook:
        with pytest.raises(DeliveryPostponed) as failure:
            await webhook.send(message())
        assert failure.value.retry_after_s == retry_after_s
        await webhook.send(message())
    assert [request.headers["webhook-id"] for request in http_peer.requests] == ["0198-a", "0198-a"]


@pytest.mark.parametrize(
    "reply",
    [None, b"", b"this is not HTTP\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"],
    ids=["no answer", "reset", "garbage", "half an answer"],
)
async def test_a_receiver_that_misbehaves_may_recover(http_peer: HttpPeer, reply: bytes | None) -> None:
    http_peer.answers.append(reply)
    async with channel(http_peer.url, timeout_s=0.2) as webhook:
        with pytest.raises(DeliveryPostponed, match="did not answer") as failure:
            await webhook.send(message())
    assert http_peer.url in failure.value.message
    assert failure.value.hint


async def test_a_receiver_that_is_away_may_be_back_later(http_peer: HttpPeer) -> None:
    await http_peer.__aexit__()
    async with channel(http_peer.url) as webhook:
        with pytest.raises(DeliveryPostponed, match="cannot be reached"):
            await webhook.send(message())


async def test_no_more_of_an_answer_is_read_than_an_error_shows(http_peer: HttpPeer) -> None:
    http_peer.answers.append(b"HTTP/1.1 400 Bad\r\nContent-Length: 100000000000\r\n\r\n" + b"x" * 100_000)
    async with channel(http_peer.url) as webhook:
        with pytest.raises(DeliveryError, match=r"answered 400: 'x{200}'$"):
            await webhook.send(message())


async def test_a_long_answer_of_success_is_success(http_peer: HttpPeer) -> None:
    http_peer.answers.append(ok(b"x" * 100_000))
    async with channel(http_peer.url) as webhook:
        await webhook.send(message())
    assert len(http_peer.requests) == 1


async def test_another_channels_content_is_final(http_peer: HttpPeer) -> None:
    async with channel(http_peer.url) as webhook:
        with pytest.raises(DeliveryError, match="carries BannerContent"):
            await webhook.send(message(BannerContent(form="bar", title="x")))
    assert http_peer.requests == []


@pytest.mark.parametrize(
    "url", ["", "shop.example/hook", "ftp://shop.example/", "http://", "http://[", "http://a:b:c/"]
)
def test_the_address_must_be_one_of_the_web(url: str) -> None:
    with pytest.raises(ConfigurationError, match="the webhook address"):
        channel(url)


def test_settings_do_not_show_the_secret() -> None:
    assert SECRET not in repr(WebhookSettings(url="https://x.example/", secret=SECRET))


def incoming_webhook(request: Request) -> bytes:
    """Answers as Slack does: `ok`, or a word that says what is wrong."""
    if request.headers.get("content-type") != "application/json" or not json.loads(request.body).get("text"):
        return answer("400 Bad Request", body=b"invalid_payload")
    return ok(b"ok")


@pytest.fixture
async def slack() -> AsyncIterator[HttpPeer]:
    async with HttpPeer(incoming_webhook) as peer:
        yield peer


def chat_channel(url: str, timeout_s: float = 5.0) -> ChatChannel:
    return ChatChannel(ChatSettings(url=url, timeout_s=timeout_s), lambda: NOW)


def chat_message(content: Content | None = None) -> OutboundMessage:
    return OutboundMessage(
        message_id="0198-a",
        site="shop",
        rule="big_cart",
        visitor_id="ada",
        channel="chat",
        recipients=("chat",),
        content=content or ChatContent("Ada &amp; Co left *200 €*\n<https://shop.example/|the shop>"),
        expires_at_ms=NOW + 1,
    )


async def test_the_chat_gets_the_text_as_it_stands(slack: HttpPeer) -> None:
    async with chat_channel(slack.url) as chat:
        await chat.send(chat_message())
    [request] = slack.requests
    assert json.loads(request.body) == {"text": "Ada &amp; Co left *200 €*\n<https://shop.example/|the shop>"}


@pytest.mark.parametrize(
    ("status", "word"),
    [("400 Bad Request", b"invalid_payload"), ("403 Forbidden", b"action_prohibited"), ("410 Gone", b"archived")],
)
async def test_a_chats_refusal_is_final_and_the_secret_address_is_not_told(
    slack: HttpPeer, status: str, word: bytes
) -> None:
    slack.answers.append(answer(status, body=word))
    async with chat_channel(slack.url) as chat:
        with pytest.raises(DeliveryError, match=word.decode()) as failure:
            await chat.send(chat_message())
    assert not failure.value.retryable
    assert "/hook" not in str(failure.value)


async def test_a_chat_that_asks_for_patience_gets_it(slack: HttpPeer) -> None:
    slack.answers.append(answer("429 Too Many Requests", "Retry-After: 30"))
    async with chat_channel(slack.url) as chat:
        with pytest.raises(DeliveryPostponed) as failure:
            await chat.send(chat_message())
    assert failure.value.retry_after_s == 30


async def test_a_chat_that_does_not_answer_may_do_so_later(slack: HttpPeer) -> None:
    slack.answers.append(b"")
    async with chat_channel(slack.url) as chat:
        with pytest.raises(DeliveryPostponed) as failure:
            await chat.send(chat_message())
    assert "/hook" not in str(failure.value)


async def test_a_chat_gets_no_other_channels_content(slack: HttpPeer) -> None:
    async with chat_channel(slack.url) as chat:
        with pytest.raises(DeliveryError, match="carries SmsContent"):
            await chat.send(chat_message(SmsContent("x", 1)))
    assert slack.requests == []


def test_an_address_of_a_chat_that_is_none_is_refused_and_not_told() -> None:
    with pytest.raises(ConfigurationError, match="chat_url") as failure:
        chat_channel("hooks.example/T0/secret")
    assert "secret" not in str(failure.value)


def test_settings_of_a_chat_do_not_show_the_secret() -> None:
    assert "secret" not in repr(ChatSettings(url="https://hooks.example/secret"))
