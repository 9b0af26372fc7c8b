from __future__ import annotations

import json

import msgspec
import pytest

from trigger_worker.delivery.channels.banner import BannerChannel
from trigger_worker.delivery.channels.base import OutboundMessage
from trigger_worker.delivery.content.banner import BannerContent, CallToAction, banner_payload
from trigger_worker.delivery.content.banner_parts import Countdown, Display, Theme
from trigger_worker.delivery.content.email import EmailContent
from trigger_worker.delivery.content.model import Content
from warehouse.banner_notice import BannerNotice
from warehouse.errors import DeliveryError

FULL = BannerContent(
    form="slide_in",
    position="left",
    title="</script>",
    text="Text",
    image="https://cdn.example/a.png",
    cta=CallToAction(label="Go", url="/cart"),
    dismiss="No",
    coupon="CODE",
    countdown=Countdown(for_ms=900_000),
    theme=Theme(background="#fff", radius=0),
    display=Display(pages=("/p/*",), on="scroll", scroll_pct=50),
)


def message(content: Content, *anonymous_ids: str) -> OutboundMessage:
    return OutboundMessage(
        message_id="m",
        site="shop",
        rule="hover_hesitation",
        visitor_id="ada",
        channel="banner",
        recipients=anonymous_ids,
        content=content,
        expires_at_ms=1_795_348_800_000,
        variant="plain",
    )


ENVELOPE = {
    "message_id": "m",
    "rule": "hover_hesitation",
    "variant": "plain",
    "class": "marketing",
    "expires_at": "2026-11-22T12:00:00.000Z",
}


def test_writes_a_banner_as_the_browser_reads_it() -> None:
    assert json.loads(banner_payload(FULL, message(FULL).envelope())) == {
        **ENVELOPE,
        "form": "slide_in",
        "position": "left",
        "title": "</script>",
        "text": "Text",
        "image": "https://cdn.example/a.png",
        "cta": {"label": "Go", "url": "/cart"},
        "dismiss": "No",
        "coupon": "CODE",
        "countdown": {"for_ms": 900_000},
        "theme": {"background": "#fff", "radius": 0},
        "display": {"pages": ["/p/*"], "on": "scroll", "scroll_pct": 50},
    }


def test_leaves_out_what_a_banner_has_not() -> None:
    content = BannerContent(form="bar", title="Hi")
    payload = banner_payload(content, message(content).envelope())
    assert json.loads(payload) == {**ENVELOPE, "form": "bar", "title": "Hi"}


async def test_one_notice_names_every_browser_of_the_visitor() -> None:
    published: list[BannerNotice] = []
    await BannerChannel(published.append).send(message(FULL, "phone", "laptop"))
    [notice] = published
    assert json.loads(msgspec.json.encode(notice)) == {
        "site": "shop",
        "message_id": "m",
        "anonymous_ids": ["phone", "laptop"],
        "expires_at": 1_795_348_800_000,
        "banner": json.loads(banner_payload(FULL, message(FULL).envelope())),
    }


@pytest.mark.parametrize(
    ("content", "anonymous_ids", "problem"),
    [
        (FULL, (), "has no browser to go to"),
        (EmailContent(subject="x", html="x", text="x"), ("phone",), "carries EmailContent"),
    ],
)
async def test_what_cannot_be_a_banner_is_final(content: Content, anonymous_ids: tuple[str, ...], problem: str) -> None:
    def publish(notice: BannerNotice) -> None:
        raise AssertionError("nothing is to be published")

    with pytest.raises(DeliveryError, match=problem) as failure:
        await BannerChannel(publish).send(message(content, *anonymous_ids))
    assert not failure.value.retryable
