"""Notifications, against a push service that checks signatures and browsers that decrypt."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from structlog.testing import capture_logs

from tests.trigger_worker.delivery.channels.http_peer import answer
from tests.trigger_worker.delivery.channels.push_peer import PushPeer, base64url
from tests.trigger_worker.stored import NOON
from trigger_worker.deciding.recipient.push_subscription import PushSubscription
from trigger_worker.delivery.channels.base import DeliveryPostponed, DeliveryUncertain, OutboundMessage
from trigger_worker.delivery.channels.push import PushChannel, PushSettings, Revocations
from trigger_worker.delivery.channels.push_request import LONGEST_PAYLOAD
from trigger_worker.delivery.content.document import PushContent
from trigger_worker.delivery.content.links import MessageLinks, SiteLinks
from trigger_worker.delivery.content.model import Content
from trigger_worker.delivery.content.text_message import SmsContent
from trigger_worker.store.records import Records
from warehouse.errors import ConfigurationError, DeliveryError, WarehouseUnavailable
from warehouse.event import LASTING_DAYS, EventRow
from warehouse.message_token import MessageToken, MessageTokens

NOW = 1_795_348_800_500
TOKENS = MessageTokens(b"secret")
LINKS = MessageLinks("https://collector.example", TOKENS, {"shop": SiteLinks(), "strict": SiteLinks(asks_first=True)})
TOKEN = MessageToken("shop", "0198-a", "back_in_stock", "ada", "push", variant="plain")
KEY = generate_private_key(SECP256R1())
PUBLIC_KEY = base64url(KEY.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
REPORT_URL = "https://collector.example/v1/callbacks/push/"
CONTENT = PushContent(
    title="Grüße & <b>", text="Der Tee ist da 🍵", icon="/icon.png", url="/p/tea?a=1&b=2", urgency="high"
)


class Gone(list[str]):
    """The endpoints that were revoked."""

    async def note(self, message: OutboundMessage, endpoint: str) -> None:
        assert message.message_id == "0198-a"
        self.append(endpoint)


@pytest.fixture
async def service() -> AsyncIterator[PushPeer]:
    async with PushPeer(PUBLIC_KEY) as peer:
        yield peer


def channel(service: PushPeer, gone: Gone | None = None, timeout_s: float = 5.0, **changes: Any) -> PushChannel:
    settings = PushSettings(
        **{
            "key": KEY,
            "contact": "mailto:shop@example.com",
            "services": service.origin,
            "timeout_s": timeout_s,
            **changes,
        }
    )
    return PushChannel(settings, LINKS, (Gone() if gone is None else gone).note, lambda: NOW)


def message(
    *subscriptions: PushSubscription,
    content: Content = CONTENT,
    left_ms: int = 90_000,
    site: str = "shop",
    analytics: bool | None = None,
) -> OutboundMessage:
    return OutboundMessage(
        message_id="0198-a",
        site=site,
        rule="back_in_stock",
        visitor_id="ada",
        channel="push",
        recipients=tuple(subscription.text() for subscription in subscriptions),
        content=content,
        expires_at_ms=NOW + left_ms,
        analytics=analytics,
        token=TOKEN,
    )


async def test_the_browser_can_read_it_and_the_service_knows_who_sends_it(service: PushPeer) -> None:
    browser = service.browser()
    async with channel(service) as push:
        await push.send(message(browser.subscription))
    [notification] = browser.notifications
    report = notification.payload.pop("report")
    assert notification.payload == {
        "title": "Grüße & <b>",
        "text": "Der Tee ist da 🍵",
        "icon": "/icon.png",
        "url": "/p/tea?a=1&b=2",
        "tag": "0198-a",
    }
    assert notification.claims == {
        "aud": service.origin,
        "exp": NOW // 1000 + 43_200,
        "sub": "mailto:shop@example.com",
    }
    assert TOKENS.read(report.removeprefix(REPORT_URL), "push", now_ms=0) == TOKEN


@pytest.mark.parametrize(("left_ms", "ttl"), [(90_000, "90"), (0, "0"), (-5_000, "0"), (365 * 86_400_000, "2419200")])
async def test_the_service_learns_how_long_and_how_urgent(service: PushPeer, left_ms: int, ttl: str) -> None:
    browser = service.browser()
    async with channel(service) as push:
        await push.send(message(browser.subscription, left_ms=left_ms))
    [notification] = browser.notifications
    assert (notification.headers["ttl"], notification.headers["urgency"]) == (ttl, "high")


async def test_a_repeat_has_the_topic_of_the_first_attempt(service: PushPeer) -> None:
    browser = service.browser()
    async with channel(service) as push:
        for _ in range(2):
            await push.send(message(browser.subscription))
    topics = {notification.headers["topic"] for notification in browser.notifications}
    assert [len(topic) for topic in topics] == [32]


async def test_every_browser_of_the_visitor_gets_it(service: PushPeer) -> None:
    laptop, phone = service.browser(), service.browser()
    async with channel(service) as push:
        await push.send(message(laptop.subscription, phone.subscription))
    assert (len(laptop.notifications), len(phone.notifications)) == (1, 1)


async def test_a_revoked_subscription_is_told_and_the_other_browser_gets_it(service: PushPeer) -> None:
    gone, laptop, phone = Gone(), service.browser(), service.browser()
    service.revoke(laptop)
    async with channel(service, gone) as push:
        await push.send(message(laptop.subscription, phone.subscription))
    assert gone == [laptop.subscription.endpoint]
    assert len(phone.notifications) == 1


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone"])
async def test_when_the_only_subscription_is_revoked_that_is_final(service: PushPeer, status: str) -> None:
    gone, browser = Gone(), service.browser()
    service.answers.append(answer(status))
    async with channel(service, gone) as push:
        with pytest.raises(DeliveryError, match=f"answered {status[:3]}") as failure:
            await push.send(message(browser.subscription))
    assert not failure.value.retryable
    assert gone == [browser.subscription.endpoint]
    assert "/push/" not in str(failure.value)


@pytest.mark.parametrize("status", ["400 Bad Request", "403 Forbidden", "413 Payload Too Large", "302 Found"])
async def test_other_refusals_are_final_and_revoke_nothing(service: PushPeer, status: str) -> None:
    gone = Gone()
    service.answers.append(answer(status, "Location: http://127.0.0.1/"))
    async with channel(service, gone) as push:
        with pytest.raises(DeliveryError) as failure:
            await push.send(message(service.browser().subscription))
    assert not failure.value.retryable
    assert gone == []
    assert len(service.requests) == 1


async def test_a_service_that_asks_for_patience_gets_it(service: PushPeer) -> None:
    service.answers.append(answer("429 Too Many Requests", "Retry-After: 60"))
    async with channel(service) as push:
        with pytest.raises(DeliveryPostponed) as failure:
            await push.send(message(service.browser().subscription))
    assert failure.value.retry_after_s == 60


async def test_one_browser_that_may_take_it_later_is_worth_another_attempt(service: PushPeer) -> None:
    browsers = [service.browser() for _ in range(3)]
    service.answers += [answer("400 Bad Request"), answer("503 Away"), answer("410 Gone")]
    async with channel(service) as push:
        with pytest.raises(DeliveryPostponed, match="503"):
            await push.send(message(*(browser.subscription for browser in browsers)))


async def test_a_service_that_is_silent_leaves_the_outcome_open(service: PushPeer) -> None:
    service.answers.append(None)
    async with channel(service, timeout_s=0.3) as push:
        with pytest.raises(DeliveryUncertain, match="did not answer"):
            await push.send(message(service.browser().subscription))


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://localhost/push/0",
        "https://evil.example/push/0",
        "http://127.0.0.1:1/push/0",
        "file:///etc/passwd",
        "push",
    ],
)
async def test_nobody_but_a_push_service_is_written_to(service: PushPeer, endpoint: str) -> None:
    subscription = PushSubscription(endpoint, service.browser().subscription.p256dh, "A" * 22)
    async with channel(service) as push:
        with pytest.raises(DeliveryError, match="none of push_services") as failure:
            await push.send(message(subscription))
    assert not failure.value.retryable
    assert service.requests == []


async def test_a_key_that_is_no_point_of_the_curve_is_final(service: PushPeer) -> None:
    endpoint = service.browser().subscription.endpoint
    async with channel(service) as push:
        with pytest.raises(DeliveryError, match="none of its curve"):
            await push.send(message(PushSubscription(endpoint, base64url(b"\x04" + b"k" * 64), "A" * 22)))


async def test_a_notification_that_is_too_long_is_final(service: PushPeer) -> None:
    browser = service.browser()
    longest = message(browser.subscription, content=PushContent(title="x", text="y" * LONGEST_PAYLOAD))
    async with channel(service) as push:
        with pytest.raises(DeliveryError, match=f"more than the {LONGEST_PAYLOAD}"):
            await push.send(longest)


async def test_the_longest_payload_fits_into_what_services_take(service: PushPeer) -> None:
    browser = service.browser()
    async with channel(service) as push:
        await push.send(message(browser.subscription))
        used = len(str(browser.notifications[0].payload["report"])) + 200
        await push.send(message(browser.subscription, content=PushContent(title="x", text="y" * (3_900 - used))))
    assert len(service.requests[-1].body) <= 4_096


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [({"content": SmsContent("x", 1)}, "carries SmsContent"), ({}, "no browser to go to")],
)
async def test_what_is_no_notification_to_somebody_is_final(
    service: PushPeer, changes: dict[str, Any], complaint: str
) -> None:
    async with channel(service) as push:
        with pytest.raises(DeliveryError, match=complaint):
            await push.send(message(**changes))


@pytest.mark.parametrize("contact", ["", "shop@example.com", "mailto:", "http://shop.example"])
async def test_push_services_must_know_whom_to_write_to(service: PushPeer, contact: str) -> None:
    with pytest.raises(ConfigurationError, match="push_contact"):
        channel(service, services="push.example", contact=contact)


ENDPOINT = "https://push.example/send/abc"
MESSAGE = OutboundMessage(
    message_id="message-1",
    site="shop",
    rule="back_in_stock",
    visitor_id="ada",
    channel="push",
    recipients=("browser",),
    content=SmsContent("Back", 1),
    expires_at_ms=NOON + 1000,
)


class KeepingInserts:
    """Keeps rows instead of storing them."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def insert_lines(self, table: str, lines: bytes, token: str) -> None:
        """Keep the rows of one insert."""
        assert (table, bool(token)) == ("events", True)
        self.lines += lines.split(b"\n")


class AwayInserts:
    """Refuses every insert."""

    def insert_lines(self, *_: Any) -> None:
        """Raise what a ClickHouse that is away raises."""
        raise WarehouseUnavailable("nobody there")


async def test_a_subscription_that_is_gone_becomes_this_row() -> None:
    inserts = KeepingInserts()
    for _ in range(2):
        await Revocations(Records(inserts, {"shop": 90}), lambda: NOON).record(MESSAGE, ENDPOINT)
    row = EventRow(
        site="shop",
        event="push_unsubscribed",
        type="track",
        event_id="8ef3c5f0-b63f-5bec-ac20-3e4ade6c008f",
        visitor_id="ada",
        ts="2026-11-22 11:00:00.000",
        received_at="2026-11-22 11:00:00.000",
        source="live",
        message_id="message-1",
        props=f'{{"endpoint":"{ENDPOINT}","rule":"back_in_stock","channel":"push","reason":"gone"}}',
        retention_days=LASTING_DAYS,
    )
    assert [msgspec.json.decode(line, type=EventRow) for line in inserts.lines] == [row, row]


async def test_what_cannot_be_stored_is_logged_and_forgotten() -> None:
    with capture_logs() as logs:
        await Revocations(Records(AwayInserts()), lambda: NOON).record(MESSAGE, ENDPOINT)
    assert [(log["event"], log["message_id"]) for log in logs] == [("revocation_not_stored", "message-1")]
