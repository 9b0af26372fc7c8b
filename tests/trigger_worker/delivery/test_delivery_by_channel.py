"""From behaviour to a real peer of each channel, and back."""

from __future__ import annotations

import json
from collections.abc import Sequence

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.trigger_worker.delivery.channels.http_peer import HttpPeer, answer
from tests.trigger_worker.delivery.channels.push_peer import Browser, PushPeer, base64url
from tests.trigger_worker.delivery.channels.twilio_peer import ACCOUNT, TOKEN, TwilioPeer, problem
from tests.trigger_worker.shop import Shop
from tests.trigger_worker.stored import store
from trigger_worker.delivery.channels.push import PushChannel, PushSettings, Revocations
from trigger_worker.delivery.channels.sms import SmsChannel, SmsSettings
from trigger_worker.delivery.channels.webhook import ChatChannel, ChatSettings
from trigger_worker.delivery.content.links import MessageLinks, SiteLinks
from trigger_worker.store.records import Records
from warehouse.connection import Warehouse
from warehouse.event import EventRow, format_time
from warehouse.message_token import MessageTokens

TOKENS = MessageTokens(b"secret")
LINKS = MessageLinks("https://c.example", TOKENS, {"shop": SiteLinks()})
PUSH_KEY = generate_private_key(SECP256R1())
PUBLIC_KEY = base64url(PUSH_KEY.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
NUMBER = {"first_name": "Anna", "phone": "+49 151 12345678"}


@pytest.fixture
def warehouse(embedded_warehouse: Warehouse) -> Warehouse:
    """One engine is enough: what is asked of it here is asked of both elsewhere."""
    return embedded_warehouse


def sms(shop: Shop, peer: TwilioPeer) -> SmsChannel:
    settings = SmsSettings(url=peer.base, account=ACCOUNT, token=TOKEN, sender="Shop", timeout_s=5)
    return SmsChannel(settings, LINKS, lambda: shop.now_ms)


class ShopRecords(Records):
    """Records whose events become visible by the clock of the shop, and not by this machine's."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop.warehouse)
        self._shop = shop

    def store_events(self, rows: Sequence[EventRow]) -> None:
        at = format_time(self._shop.now_ms)
        store(self._shop.warehouse, *({**msgspec.to_builtins(row), "ingested_at": at} for row in rows))


def push(shop: Shop, peer: PushPeer) -> PushChannel:
    settings = PushSettings(key=PUSH_KEY, contact="mailto:a@b.example", services=peer.origin, timeout_s=5)
    revoked = Revocations(ShopRecords(shop), lambda: shop.now_ms).record
    return PushChannel(settings, LINKS, revoked, lambda: shop.now_ms)


def subscribes(shop: Shop, browser: Browser) -> None:
    said = browser.subscription
    shop.happens("push_subscribed", endpoint=said.endpoint, p256dh=said.p256dh, auth=said.auth)


async def test_a_text_message_reaches_the_phone_and_comes_back_as_delivered(shop: Shop) -> None:
    shop.rule("cart", "when: add_to_cart\nsend: [{sms: cart}]")
    shop.write("templates/cart.sms.txt", "{{ visitor.first_name }}, your {{ product.name }} waits.")
    async with TwilioPeer() as peer, sms(shop, peer) as channel:
        await shop.uses(channel)
        shop.happens("identify", traits=NUMBER)
        shop.happens("add_to_cart", name="Tent")
        await shop.passes(1)
        [form] = peer.accepted
        assert (form["To"], form["Body"]) == ("+4915112345678", "Anna, your Tent waits.")
        assert shop.states("sms") == {"pending", "sent"}
        token = TOKENS.read(form["StatusCallback"].rpartition("/")[2], "callback", now_ms=0)
        assert token is not None
        shop.happens("message_delivered", message_id=token.message_id)
        await shop.passes(1)
        assert shop.states("sms") == {"pending", "sent", "delivered"}


async def test_a_number_that_the_provider_refuses_is_given_up(shop: Shop) -> None:
    shop.rule("cart", "when: add_to_cart\nsend: [{sms: cart}]")
    shop.write("templates/cart.sms.txt", "Hi")
    async with TwilioPeer() as peer, sms(shop, peer) as channel:
        await shop.uses(channel)
        peer.answers.append(problem("400 Bad Request", 21610, "unsubscribed recipient"))
        shop.happens("identify", traits=NUMBER)
        shop.happens("add_to_cart")
        for _ in range(3):
            await shop.passes(600)
    assert len(peer.requests) == 1
    assert shop.states("sms") == {"pending", "failed"}
    [(detail,)] = shop.rows("SELECT detail FROM messages WHERE state = 'failed'")
    assert "error 21610: unsubscribed recipient" in json.loads(detail)["error"]


@pytest.mark.parametrize(("message_class", "sendings"), [("marketing", 1), ("transactional", 2)])
async def test_a_text_message_whose_outcome_is_open_is_repeated_by_its_class(
    shop: Shop, message_class: str, sendings: int
) -> None:
    shop.rule("order", f"when: purchase\nsend: [{{sms: order}}]\nclass: {message_class}")
    shop.write("templates/order.sms.txt", "Thank you")
    async with TwilioPeer() as peer, sms(shop, peer) as channel:
        await shop.uses(channel)
        peer.answers.append(b"")
        shop.happens("identify", traits=NUMBER)
        shop.happens("purchase")
        for _ in range(3):
            await shop.passes(60)
        assert len(peer.requests) == sendings
    assert shop.states("sms") == {"pending", "failed" if message_class == "marketing" else "sent"}


def replied(shop: Shop, event: str, **fields: object) -> None:
    """Store what the provider tells of a reply, as the collector does."""
    props = msgspec.json.encode({**fields, "source": "sms_reply"}).decode()
    store(shop.warehouse, {**shop.row(event), "props": props})


async def test_who_replied_stop_gets_no_more_text_messages_until_start(shop: Shop) -> None:
    shop.rule("cart", "when: add_to_cart\nevery: 0\nsend: [{sms: cart}]")
    shop.write("templates/cart.sms.txt", "Hi")
    async with TwilioPeer() as peer, sms(shop, peer) as channel:
        await shop.uses(channel)
        shop.happens("identify", traits=NUMBER)
        replied(shop, "unsubscribed", channel="sms", reason="reply")
        shop.happens("add_to_cart")
        await shop.passes(1)
        assert shop.decisions() == [("sms", "drop", "unsubscribed")]
        replied(shop, "consent", channels={"sms": True})
        # The worker notes for the number what it hears of the visitor; the collector has noted the reply before.
        await shop.passes(1)
        shop.happens("add_to_cart")
        await shop.passes(1)
        assert len(peer.accepted) == 1


async def test_a_notification_reaches_every_browser_and_a_revoked_one_is_left_alone(shop: Shop) -> None:
    shop.rule("back", "when: view_item\nevery: 0\nsend: [{push: back}]")
    shop.write("templates/back.push.yaml", "title: '{{ product.name }} is back'\nurl: /p/tent\n")
    async with PushPeer(PUBLIC_KEY) as peer, push(shop, peer) as channel:
        await shop.uses(channel)
        laptop, phone = peer.browser(), peer.browser()
        subscribes(shop, laptop)
        subscribes(shop, phone)
        peer.revoke(laptop)
        shop.happens("view_item", name="Tent")
        await shop.passes(1)
        assert [notification.payload["title"] for notification in phone.notifications] == ["Tent is back"]
        assert len(peer.requests) == 2
        shop.happens("view_item", name="Tent")
        await shop.passes(1)
        assert (len(phone.notifications), len(peer.requests)) == (2, 3)
    sql = "SELECT visitor_id, JSONExtractString(props, 'endpoint') FROM events WHERE event = 'push_unsubscribed'"
    assert shop.rows(sql) == [("anna", laptop.subscription.endpoint)]
    assert shop.states("push") == {"pending", "sent"}


async def test_when_the_last_subscription_is_revoked_the_message_fails_and_the_next_has_no_address(shop: Shop) -> None:
    shop.rule("back", "when: view_item\nevery: 0\nsend: [{push: back}]")
    shop.write("templates/back.push.yaml", "title: Back\n")
    async with PushPeer(PUBLIC_KEY) as peer, push(shop, peer) as channel:
        await shop.uses(channel)
        laptop = peer.browser()
        subscribes(shop, laptop)
        peer.revoke(laptop)
        for _ in range(2):
            shop.happens("view_item")
            await shop.passes(1)
    assert shop.states("push") == {"pending", "failed", "cancelled"}
    assert [row[2] for row in shop.decisions()] == ["passed", "no_address"]


async def test_a_chat_learns_of_a_big_cart_and_no_visitor_writes_its_markup(shop: Shop) -> None:
    shop.rule("big_cart", "when: add_to_cart[value > 500]\nsend: [{chat: big_cart}]")
    shop.write("templates/big_cart.chat.txt", "*{{ visitor.first_name }}* put {{ product.name }} into the cart")
    async with HttpPeer() as peer, ChatChannel(ChatSettings(url=peer.url), lambda: shop.now_ms) as channel:
        await shop.uses(channel)
        peer.answers.append(answer("429 Too Many Requests", "Retry-After: 30"))
        shop.happens("identify", traits={"first_name": "<!channel>"})
        shop.happens("add_to_cart", name="Tent & Co", value=600)
        await shop.passes(1)
        await shop.passes(20)
        assert len(peer.requests) == 1
        await shop.passes(20)
        assert json.loads(peer.requests[1].body) == {"text": "*&lt;!channel&gt;* put Tent &amp; Co into the cart"}
    assert shop.states("chat") == {"pending", "sent"}
