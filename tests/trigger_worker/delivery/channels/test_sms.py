"""Text messages, against a provider that speaks Twilio's API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.trigger_worker.delivery.channels.twilio_peer import ACCOUNT, TOKEN, TwilioPeer, problem
from trigger_worker.delivery.channels.base import DeliveryPostponed, DeliveryUncertain, OutboundMessage
from trigger_worker.delivery.channels.sms import SmsChannel, SmsSettings
from trigger_worker.delivery.content.document import WebhookContent
from trigger_worker.delivery.content.links import MessageLinks, SiteLinks
from trigger_worker.delivery.content.model import Content
from trigger_worker.delivery.content.text_message import SmsContent
from warehouse.errors import ConfigurationError, DeliveryError
from warehouse.message_token import MessageToken, MessageTokens

NOW = 1_795_348_800_500
TOKENS = MessageTokens(b"secret")
LINKS = MessageLinks("https://collector.example", TOKENS, {"shop": SiteLinks()})
TOKEN_OF_MESSAGE = MessageToken("shop", "0198-a", "cart_abandoned", "ada", "sms", variant="plain")
STATUS_URL = "https://collector.example/v1/callbacks/sms/"


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioPeer]:
    async with TwilioPeer() as peer:
        yield peer


def channel(url: str, timeout_s: float = 5.0, **changes: Any) -> SmsChannel:
    settings = {"account": ACCOUNT, "token": TOKEN, "sender": "+4915100000000", **changes}
    return SmsChannel(SmsSettings(url=url, timeout_s=timeout_s, **settings), LINKS, lambda: NOW)


def message(content: Content | None = None, **changes: Any) -> OutboundMessage:
    usual: dict[str, Any] = {
        "recipients": ("+4915112345678",),
        "expires_at_ms": NOW + 90_000,
        "token": TOKEN_OF_MESSAGE,
    }
    return OutboundMessage(
        message_id="0198-a",
        site="shop",
        rule="cart_abandoned",
        visitor_id="ada",
        channel="sms",
        content=content or SmsContent("Grüße & 10 % + Tee\nBis bald", 1),
        **{**usual, **changes},
    )


async def test_the_provider_gets_number_text_sender_and_lifetime(twilio: TwilioPeer) -> None:
    async with channel(twilio.base) as sms:
        await sms.send(message())
    [form] = twilio.accepted
    status_url = form.pop("StatusCallback")
    assert form == {
        "To": "+4915112345678",
        "From": "+4915100000000",
        "Body": "Grüße & 10 % + Tee\nBis bald",
        "ValidityPeriod": "90",
    }
    assert status_url.startswith(STATUS_URL)
    assert TOKENS.read(status_url.removeprefix(STATUS_URL), "callback", now_ms=0) == TOKEN_OF_MESSAGE


async def test_of_a_message_that_nothing_leads_back_to_nothing_is_reported(twilio: TwilioPeer) -> None:
    async with channel(twilio.base) as sms:
        await sms.send(message(token=None))
    assert "StatusCallback" not in twilio.accepted[0]


async def test_a_messaging_service_is_named_as_one(twilio: TwilioPeer) -> None:
    async with channel(twilio.base, sender="MG0123") as sms:
        await sms.send(message())
    assert twilio.accepted[0]["MessagingServiceSid"] == "MG0123"


@pytest.mark.parametrize(("left_ms", "validity_s"), [(36_000_000_000, 36_000), (500, 1), (-1, 1)])
async def test_the_lifetime_stays_within_what_the_provider_takes(
    twilio: TwilioPeer, left_ms: int, validity_s: int
) -> None:
    async with channel(twilio.base) as sms:
        await sms.send(message(expires_at_ms=NOW + left_ms))
    assert twilio.accepted[0]["ValidityPeriod"] == str(validity_s)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (problem("400 Bad Request", 21211, "Invalid 'To' Phone Number"), "400: \"error 21211: Invalid 'To' Phone"),
        (problem("400 Bad Request", 21610, "unsubscribed recipient"), "error 21610: unsubscribed recipient"),
        (problem("403 Forbidden", 20003, "no credit"), "403: 'error 20003: no credit'"),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://127.0.0.1/\r\n\r\n", "answered 302"),
    ],
)
async def test_a_refusal_is_final_and_told_in_the_providers_words(twilio: TwilioPeer, reply: bytes, told: str) -> None:
    twilio.answers.append(reply)
    async with channel(twilio.base) as sms:
        with pytest.raises(DeliveryError) as failure:
            await sms.send(message())
    assert told in failure.value.message
    assert not failure.value.retryable
    assert len(twilio.requests) == 1


async def test_wrong_credentials_are_refused_and_not_told(twilio: TwilioPeer) -> None:
    async with channel(twilio.base, token="wrong token") as sms:
        with pytest.raises(DeliveryError, match="error 20003") as failure:
            await sms.send(message())
    assert "wrong token" not in str(failure.value)
    assert twilio.accepted == []


@pytest.mark.parametrize(
    ("reply", "retry_after_s"),
    [
        (problem("429 Too Many Requests", 20429, "slow down", "Retry-After: 7"), 7.0),
        (problem("503 Service Unavailable", 20503, "away"), None),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nOops", None),
    ],
)
async def test_trouble_of_the_provider_may_pass(twilio: TwilioPeer, reply: bytes, retry_after_s: float | None) -> None:
    twilio.answers.append(reply)
    async with channel(twilio.base) as sms:
        with pytest.raises(DeliveryPostponed) as failure:
            await sms.send(message())
        assert failure.value.retry_after_s == retry_after_s
        assert not isinstance(failure.value, DeliveryUncertain)
        await sms.send(message())
    assert len(twilio.accepted) == 1


@pytest.mark.parametrize(
    "reply", [None, b"", b"HTTP/1.1 201 Created\r\nContent-Length: 50\r\n\r\nhalf"], ids=["silence", "reset", "half"]
)
async def test_nobody_knows_whether_a_message_without_an_answer_was_taken(
    twilio: TwilioPeer, reply: bytes | None
) -> None:
    twilio.answers.append(reply)
    async with channel(twilio.base, timeout_s=0.3) as sms:
        with pytest.raises(DeliveryUncertain, match=r"127\.0\.0\.1 did not answer"):
            await sms.send(message())


async def test_a_provider_that_cannot_be_connected_to_has_certainly_taken_nothing(twilio: TwilioPeer) -> None:
    await twilio.__aexit__()
    async with channel(twilio.base) as sms:
        with pytest.raises(DeliveryPostponed, match="cannot be reached") as failure:
            await sms.send(message())
    assert not isinstance(failure.value, DeliveryUncertain)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [({"recipients": ()}, "no phone number"), ({"content": WebhookContent(b"{}")}, "carries WebhookContent")],
)
async def test_what_is_no_text_message_to_somebody_is_final(
    twilio: TwilioPeer, changes: dict[str, Any], complaint: str
) -> None:
    async with channel(twilio.base) as sms:
        with pytest.raises(DeliveryError, match=complaint):
            await sms.send(message(**changes))
    assert twilio.requests == []


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"token": ""}, "sms_token is missing"),
        ({"sender": ""}, "sms_sender is missing"),
        ({"account": ""}, "sms_account is missing"),
    ],
)
def test_an_incomplete_account_is_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        channel("https://api.example", **changes)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="sms_url"):
        channel("api.example")


def test_settings_do_not_show_the_secret() -> None:
    settings = SmsSettings(url="https://x.example", account=ACCOUNT, token=TOKEN, sender="a")
    assert TOKEN not in repr(settings)
