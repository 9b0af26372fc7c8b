"""Templates of text messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader

from trigger_worker.delivery.content.engine import TextEngine
from trigger_worker.delivery.content.text_message import (
    LONGEST_CHAT,
    LONGEST_SMS,
    ChatTemplate,
    SmsContent,
    SmsTemplate,
    count_segments,
    escape_chat,
)
from warehouse.errors import TemplateError


def rendered(source: str, **names: object) -> SmsContent:
    return SmsTemplate(source, "t.sms.txt", TextEngine()).render(names)


def test_facts_are_filled_in_and_lines_kept() -> None:
    content = rendered("Hi {{ name }},\nyour cart: https://shop.example/cart\n", name="Ada & Co <3")
    assert content == SmsContent("Hi Ada & Co <3,\nyour cart: https://shop.example/cart", 1)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Ada\r\nReply to +1", "Ada\nReply to +1"),
        ("A\x00d\x1ba", "A d a"),
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("  a \u202e b ", "a b"),
    ],
)
def test_what_no_phone_should_see_is_left_out(name: str, text: str) -> None:
    assert rendered("{{ name }}", name=name).text == text


def test_a_text_that_is_too_long_ends_in_dots_of_the_alphabet() -> None:
    content = rendered("{{ name }}", name="a" * (LONGEST_SMS + 1))
    assert content.text == "a" * (LONGEST_SMS - 3) + "..."
    assert content.segments == 7
    assert rendered("{{ name }}", name="a" * LONGEST_SMS).text == "a" * LONGEST_SMS


def test_a_text_of_which_nothing_is_left_is_an_error() -> None:
    with pytest.raises(TemplateError, match=r"t\.sms\.txt: the text renders to nothing"):
        rendered("{{ name }}\n \n")


def test_a_mistake_is_told_with_its_line() -> None:
    with pytest.raises(TemplateError, match=r"t\.sms\.txt:2:"):
        rendered("Hi\n{{ name | nonsense }}")


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("ä" * 160, 1),
        ("\n" * 160, 1),
        ("€" * 80, 1),
        ("€" * 81, 2),
        # A letter of two places that would be cut moves on whole: 76 fit into 153 places.
        ("€" * 152, 2),
        ("€" * 153, 3),
        ("Ж" * 70, 1),
        ("Ж" * 71, 2),
        ("Ж" * 134, 2),
        ("Ж" * 135, 3),
        ("a" * 69 + "…", 1),
        ("a" * 70 + "…", 2),
        ("🎉" * 35, 1),
        ("🎉" * 36, 2),
        ("🎉" * 66, 2),
        ("🎉" * 67, 3),
    ],
)
def test_a_message_is_cut_where_networks_cut_it(text: str, segments: int) -> None:
    assert count_segments(text) == segments


@given(st.text(), st.text())
def test_more_text_never_takes_fewer_segments_and_an_emoji_never_makes_it_cheaper(text: str, more: str) -> None:
    assert count_segments(text) <= count_segments(text + more)
    assert count_segments(text) <= count_segments(text + "🎉")


def rendered_chat(source: str, **names: object) -> str:
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
    assert rendered_chat("*{{ name }}* left", name=name) == f"*{shown}* left"


def test_the_templates_own_markup_stays_markup() -> None:
    assert rendered_chat("<https://shop.example/?a=1&amp;b=2|the {{ name }}>", name="<shop>") == (
        "<https://shop.example/?a=1&amp;b=2|the &lt;shop&gt;>"
    )


def test_facts_in_what_is_included_are_escaped_once() -> None:
    assert rendered_chat("{% include 'name.txt' %}", name="<a>") == "<&lt;a&gt;>"


def test_facts_that_decide_are_compared_as_they_are() -> None:
    assert rendered_chat("{% if name == 'A & B' %}yes{% endif %}", name="A & B") == "yes"


def test_a_text_that_is_too_long_is_cut() -> None:
    assert len(rendered_chat("{{ name }}", name="a" * 10_000)) == LONGEST_CHAT


def test_a_chat_text_of_which_nothing_is_left_is_an_error() -> None:
    with pytest.raises(TemplateError, match="renders to nothing"):
        rendered_chat("{{ name }}")
