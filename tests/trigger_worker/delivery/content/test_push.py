"""Templates of notifications."""

from __future__ import annotations

import pytest

from trigger_worker.delivery.content.engine import TextEngine
from trigger_worker.delivery.content.model import PushContent
from trigger_worker.delivery.content.push import PushTemplate
from warehouse.errors import TemplateError


def rendered(source: str, **names: object) -> PushContent:
    return PushTemplate(source, "t.push.yaml", TextEngine()).render(names)


def test_every_field_is_a_template() -> None:
    source = """
title: "{{ name }} is back"
text: "{{ name }}\\nonly today"
icon: /icon.png
image: "https://shop.example/{{ name }}.jpg"
url: "/p/{{ name }}"
urgency: high
"""
    assert rendered(source, name="Tent") == PushContent(
        title="Tent is back",
        text="Tent only today",
        icon="/icon.png",
        image="https://shop.example/Tent.jpg",
        url="/p/Tent",
        urgency="high",
    )


def test_only_the_title_is_needed() -> None:
    assert rendered("title: Hello") == PushContent(title="Hello")


@pytest.mark.parametrize("address", ["javascript:alert(1)", "//evil.example", "/\\evil.example", "data:x", "p"])
def test_addresses_that_a_browser_should_not_follow_are_left_out(address: str) -> None:
    content = rendered('{title: T, url: "{{ a }}", icon: "{{ a }}", image: "{{ a }}"}', a=address)
    assert (content.url, content.icon, content.image) == ("", "", "")


def test_texts_are_bounded() -> None:
    content = rendered('{title: "{{ a }}", text: "{{ a }}"}', a="x" * 5000)
    assert (len(content.title), len(content.text)) == (120, 300)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("text: Hi", "a notification needs title"),
        ("title: ''", "the title renders to nothing"),
        ("{title: T, urgency: now}", "expected very-low"),
        ("{title: T, sound: bell}", "sound"),
        ("- title", "expected a notification"),
    ],
)
def test_what_is_no_notification_is_told_with_its_place(source: str, complaint: str) -> None:
    with pytest.raises(TemplateError, match=complaint) as failure:
        rendered(source)
    assert failure.value.message.startswith("t.push.yaml:")
