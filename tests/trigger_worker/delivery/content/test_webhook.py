from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.delivery.content.engine import LONGEST_TEXT, TextEngine
from trigger_worker.delivery.content.webhook import WebhookTemplate
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
