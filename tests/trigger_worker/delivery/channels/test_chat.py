"""Chat messages, against an incoming webhook as Slack has them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from tests.trigger_worker.delivery.channels.http_peer import HttpPeer, Request, answer, ok
from trigger_worker.delivery.channels.base import DeliveryPostponed, OutboundMessage
from trigger_worker.delivery.channels.chat import ChatChannel, ChatSettings
from trigger_worker.delivery.content.model import ChatContent, Content, SmsContent
from warehouse.errors import ConfigurationError, DeliveryError

NOW = 1_795_348_800_500


def incoming_webhook(request: Request) -> bytes:
    """Answers as Slack does: `ok`, or a word that says what is wrong."""
    if request.headers.get("content-type") != "application/json" or not json.loads(request.body).get("text"):
        return answer("400 Bad Request", body=b"invalid_payload")
    return ok(b"ok")


@pytest.fixture
async def slack() -> AsyncIterator[HttpPeer]:
    async with HttpPeer(incoming_webhook) as peer:
        yield peer


def channel(url: str, timeout_s: float = 5.0) -> ChatChannel:
    return ChatChannel(ChatSettings(url=url, timeout_s=timeout_s), lambda: NOW)


def message(content: Content | None = None) -> OutboundMessage:
    return OutboundMessage(
        message_id="0198-a",
        site="shop",
        rule="big_cart",
        visitor_id="ada",
        recipients=("chat",),
        content=content or ChatContent("Ada &amp; Co left *200 €*\n<https://shop.example/|the shop>"),
        expires_at_ms=NOW + 1,
    )


async def test_the_chat_gets_the_text_as_it_stands(slack: HttpPeer) -> None:
    async with channel(slack.url) as chat:
        await chat.send(message())
    [request] = slack.requests
    assert json.loads(request.body) == {"text": "Ada &amp; Co left *200 €*\n<https://shop.example/|the shop>"}


@pytest.mark.parametrize(
    ("status", "word"),
    [("400 Bad Request", b"invalid_payload"), ("403 Forbidden", b"action_prohibited"), ("410 Gone", b"archived")],
)
async def test_a_refusal_is_final_and_the_secret_address_is_not_told(slack: HttpPeer, status: str, word: bytes) -> None:
    slack.answers.append(answer(status, body=word))
    async with channel(slack.url) as chat:
        with pytest.raises(DeliveryError, match=word.decode()) as failure:
            await chat.send(message())
    assert not failure.value.retryable
    assert "/hook" not in str(failure.value)


async def test_a_chat_that_asks_for_patience_gets_it(slack: HttpPeer) -> None:
    slack.answers.append(answer("429 Too Many Requests", "Retry-After: 30"))
    async with channel(slack.url) as chat:
        with pytest.raises(DeliveryPostponed) as failure:
            await chat.send(message())
    assert failure.value.retry_after_s == 30


async def test_a_chat_that_does_not_answer_may_do_so_later(slack: HttpPeer) -> None:
    slack.answers.append(b"")
    async with channel(slack.url) as chat:
        with pytest.raises(DeliveryPostponed) as failure:
            await chat.send(message())
    assert "/hook" not in str(failure.value)


async def test_another_channels_content_is_final(slack: HttpPeer) -> None:
    async with channel(slack.url) as chat:
        with pytest.raises(DeliveryError, match="carries SmsContent"):
            await chat.send(message(SmsContent("x", 1)))
    assert slack.requests == []


def test_an_address_that_is_none_is_refused_and_not_told() -> None:
    with pytest.raises(ConfigurationError, match="chat_url") as failure:
        channel("hooks.example/T0/secret")
    assert "secret" not in str(failure.value)


def test_settings_do_not_show_the_secret() -> None:
    assert "secret" not in repr(ChatSettings(url="https://hooks.example/secret"))
