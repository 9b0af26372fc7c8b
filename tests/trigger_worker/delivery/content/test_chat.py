"""Templates of chat messages."""

from __future__ import annotations

import pytest
from jinja2 import DictLoader

from trigger_worker.delivery.content.chat import LONGEST_CHAT, ChatTemplate, escape_chat
from trigger_worker.delivery.content.engine import TextEngine
from warehouse.errors import TemplateError


def rendered(source: str, **names: object) -> str:
    engine = TextEngine(DictLoader({"name.txt": "<{{ name }}>"}), escape_chat)
    return ChatTemplate(source, "t.chat.txt", engine).render(names).text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ada", "Ada"),
        ("<!channel>", "&lt;!channel&gt;"),
        ("Tom & Jerry", "Tom &amp; Jerry"),
        ("&lt;", "&amp;lt;"),
        ('it\'s "quoted"', 'it\'s "quoted"'),
        (None, ""),
        (12.5, "12.5"),
    ],
)
def test_facts_are_text_and_never_markup(name: object, shown: str) -> None:
    assert rendered("*{{ name }}* left", name=name) == f"*{shown}* left"


def test_the_templates_own_markup_stays_markup() -> None:
    assert rendered("<https://shop.example/?a=1&amp;b=2|the {{ name }}>", name="<shop>") == (
        "<https://shop.example/?a=1&amp;b=2|the &lt;shop&gt;>"
    )


def test_facts_in_what_is_included_are_escaped_once() -> None:
    assert rendered("{% include 'name.txt' %}", name="<a>") == "<&lt;a&gt;>"


def test_facts_that_decide_are_compared_as_they_are() -> None:
    assert rendered("{% if name == 'A & B' %}yes{% endif %}", name="A & B") == "yes"


def test_a_text_that_is_too_long_is_cut() -> None:
    assert len(rendered("{{ name }}", name="a" * 10_000)) == LONGEST_CHAT


def test_a_text_of_which_nothing_is_left_is_an_error() -> None:
    with pytest.raises(TemplateError, match="renders to nothing"):
        rendered("{{ name }}")
