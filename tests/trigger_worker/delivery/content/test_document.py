from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.delivery.content.document import PushContent, PushTemplate, WebhookTemplate
from trigger_worker.delivery.content.engine import LONGEST_TEXT, TextEngine
from warehouse.errors import TemplateError

ENGINE = TextEngine()


def document(source: str, **names: object) -> object:
    return json.loads(WebhookTemplate(source, "w.webhook.json", ENGINE).render(names).body)


def test_fills_facts_in_and_keeps_their_types() -> None:
    source = """{
      "type": "cart.abandoned", "version": 1, "live": true, "none": null,
      "data": {
        "value": "{{ cart.value }}",
        "greeting": "Hello {{ visitor.name }}",
        "unknown": "{{ visitor.age }}",
        "names": ["{{ cart.items[0].name }}", "fixed"],
        "items": "{{ cart.items }}"
      }
    }"""
    cart = {"value": 49.5, "items": [{"name": "Lamp"}]}
    assert document(source, cart=cart, visitor={"name": "Ada"}) == {
        "type": "cart.abandoned",
        "version": 1,
        "live": True,
        "none": None,
        "data": {
            "value": 49.5,
            "greeting": "Hello Ada",
            "unknown": None,
            "names": ["Lamp", "fixed"],
            "items": [{"name": "Lamp"}],
        },
    }


@given(st.text())
def test_no_fact_changes_the_shape(fact: str) -> None:
    source = '{"whole": "{{ fact }}", "part": "<{{ fact }}>"}'
    assert document(source, fact=fact) == {"whole": fact, "part": f"<{fact}>"}


def test_two_expressions_are_a_text() -> None:
    assert document('{"both": "{{ 1 }}{{ 2 }}"}') == {"both": "12"}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('{"a": }', "w.webhook.json:1:7: not JSON"),
        ("", "w.webhook.json:1:1: not JSON"),
        ('{"a": 1,\n "b": "x {{ oops"}', "w.webhook.json:2: unexpected end of template"),
        ('{"a": 1,\n "b": ["{{ 1 / 0 }}"]}', "w.webhook.json:2: "),
        ('{"a": 1,\n "b": "no. {{ 1 / 0 }}"}', "w.webhook.json:2: ZeroDivisionError"),
        ('{"a": "\\u007b{ 1 +}}"}', "w.webhook.json:1: "),
    ],
)
def test_a_mistake_is_named_with_its_place(source: str, message: str) -> None:
    with pytest.raises(TemplateError) as failure:
        document(source)
    assert failure.value.message.startswith(message)


def test_the_document_is_bounded() -> None:
    with pytest.raises(TemplateError, match=f"more than {LONGEST_TEXT} bytes"):
        document('{"a": "{{ fact }}"}', fact="x" * LONGEST_TEXT)


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
