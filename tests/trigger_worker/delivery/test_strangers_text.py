"""From an attacker's page to a mail, a text message's words and a banner: nothing of theirs leads anywhere."""

from __future__ import annotations

from typing import Any

import pytest

from tests.trigger_worker.delivery.channels.mail_peer import MailPeer
from tests.trigger_worker.shop import Shop
from tests.trigger_worker.stored import event_row, store
from trigger_worker.delivery.channels.email import EmailChannel, EmailSettings
from trigger_worker.delivery.content.banner import BannerContent

LETTER = """---
subject: "{{ visitor.first_name }}: {{ event.name }}"
preheader: "{{ event.name }}"
---
<h1>{{ event.name }}</h1><a href="{{ event.url }}"><img src="{{ event.image }}" alt="{{ event.name }}"></a>
{% for item in cart.items %}<p><a href="{{ item.url }}">{{ item.name }}</a> {{ item.category }}</p>{% endfor %}
"""
BANNER = (
    "form: bar\ntitle: '{{ product.name }}'\nimage: '{{ product.image }}'\ncta: {label: Go, url: '{{ product.url }}'}\n"
)
BAD = "Your account is locked, visit https://evil.example\r\nBcc: all@evil.example\r\n\r\n<script>{{ 7 * 7 }}</script>"
TOLD: dict[str, Any] = {
    "product_id": "p1",
    "name": BAD,
    "category": "javascript:alert(1)",
    "url": "https://evil.example/login",
    "image": "data:image/png;base64,AAAA",
}


@pytest.fixture
def told(embedded_shop: Shop) -> Shop:
    """A shop on whose page a stranger has named somebody's address."""
    embedded_shop.write("templates/letter.email.html", LETTER)
    embedded_shop.write("templates/note.banner.yaml", BANNER)
    embedded_shop.rule("letters", "when: add_to_cart\nsend: [{email: letter}, {banner: note}]\n")
    traits = {"email": "ann@example.com", "first_name": "Ann\r\nBcc: b@evil.example"}
    embedded_shop.happens("identify", user="u1", traits=traits)
    return embedded_shop


async def test_a_mail_has_no_link_picture_or_header_of_a_stranger(told: Shop) -> None:
    async with MailPeer() as peer:
        settings = EmailSettings(host="127.0.0.1", port=peer.port, sender="Shop <hello@shop.example>")
        async with EmailChannel(settings, lambda: told.now_ms) as email:
            await told.uses(email)
            told.happens("add_to_cart", user="u1", **TOLD)
            await told.passes(1)
    (mail,) = peer.received
    assert mail["Bcc"] is None
    assert "\n" not in str(mail["Subject"])
    for kind in ("html", "plain"):
        body = mail.get_body((kind,))
        assert body is not None
        text = str(body.get_content())
        assert "evil.example" not in text
        assert "javascript:" not in text
        assert "data:image" not in text
        assert "<script>" not in text
        assert "49" not in text


async def test_a_banner_has_no_link_or_picture_of_a_stranger(told: Shop) -> None:
    told.happens("add_to_cart", user="u1", **TOLD)
    await told.passes(1)
    (banner,) = told.channels["banner"].sent
    content = banner.content
    assert isinstance(content, BannerContent)
    assert (content.image, content.cta) == ("", None)
    assert "evil.example" not in content.title
    assert len(content.title) <= 80


async def test_what_the_shops_server_or_an_import_said_of_a_product_is_shown(told: Shop) -> None:
    described: dict[str, Any] = {"product_id": "p1", "name": "Two-person tent", "url": "https://shop.example/tent"}
    store(
        told.warehouse,
        event_row("view_item", "server", proven_by="server", image="https://shop.example/tent.jpg", **described),
        event_row("view_item", "page", told.now_ms + 1, image="https://evil.example/x.png", product_id="p1", name=BAD),
        event_row("subscribe", "signed", told.now_ms + 2, name=BAD, product_id="p1", proven_by="signature"),
        event_row("view_item", "fake", told.now_ms + 1, name=BAD, product_id="p1", deep={"proven_by": "server"}),
    )
    told.happens("add_to_cart", user="u1", **TOLD)
    await told.passes(1)
    # The first message of a site after a start waits for nobody; the products are read behind it.
    await told.dispatcher.settle(10)
    told.rule("letters", "when: add_to_cart\nevery: 0s\nsend: [{banner: note}]\n")
    told.happens("add_to_cart", user="u1", **TOLD)
    await told.passes(1)
    content = told.channels["banner"].sent[-1].content
    assert isinstance(content, BannerContent)
    assert content.title == "Two-person tent"
    assert content.image == "https://shop.example/tent.jpg"
    assert content.cta is not None
    assert content.cta.url == "https://shop.example/tent"


async def test_a_webhook_gets_facts_as_they_were_told(told: Shop) -> None:
    told.write("templates/hook.webhook.json", '{"name": "{{ event.name }}"}')
    told.rule("hooks", "when: add_to_cart\nsend: [{webhook: hook}]\n")
    told.happens("add_to_cart", user="u1", product_id="p1", name="see evil.example")
    await told.passes(1)
    (message,) = told.channels["webhook"].sent
    assert b"see evil.example" in message.content.body  # type: ignore[attr-defined]
