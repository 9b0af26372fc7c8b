"""Attributes as browsers read them."""

from __future__ import annotations

from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.delivery.content.html_attributes import attribute_text, attributes_of


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("/p?a=1&region=US&currency=EUR&timestamp=9&copy=2", "/p?a=1&region=US&currency=EUR&timestamp=9&copy=2"),
        ("/p?a=1&amp;region=US", "/p?a=1&region=US"),
        ("?a&copy", "?a©"),
        ("?a&copy;=1", "?a©=1"),
        ("?a&copy&b", "?a©&b"),
        ("?a&copyright=1", "?a&copyright=1"),
        ("?a&copy2", "?a&copy2"),
        ("?a&notit;", "?a&notit;"),
        ("?a&notin;", "?a∉"),
        ("?a&lt=1&gt=2&sect=3&para=4&not=5&order=6&image=7", "?a&lt=1&gt=2&sect=3&para=4&not=5&order=6&image=7"),
        ("?a&amp", "?a&"),
        ("?a&amp=1", "?a&amp=1"),
        ("&#38;&#x26;&#38&#X26", "&&&&"),
        ("&#0;&#x110000;&#128;", "\ufffd\ufffd€"),
        ("&nosuch;&nosuch=&;&", "&nosuch;&nosuch=&;&"),
    ],
)
def test_references_are_decoded_by_the_rules_of_html(written: str, read: str) -> None:
    assert attribute_text(written) == read


@pytest.mark.parametrize(
    ("tag", "attributes"),
    [
        ("<a>", []),
        ("<a href=x>", [("href", "x")]),
        ("<A HREF = 'x y'>", [("href", "x y")]),
        ('<a href="a&copy=1"download>', [("href", "a&copy=1"), ("download", None)]),
        ("<a href=/x/>", [("href", "/x/")]),
        ("<br/>", []),
        ('<a\nhref\n=\n"x">', [("href", "x")]),
        ("<a =b c==d>", [("=b", None), ("c", "=d")]),
        ("<a href=>", [("href", "")]),
        ("<a title='\"' href=\"'\">", [("title", '"'), ("href", "'")]),
    ],
)
def test_attributes_are_found_as_browsers_find_them(tag: str, attributes: list[tuple[str, str | None]]) -> None:
    assert attributes_of(tag) == attributes


@given(st.text())
def test_what_was_escaped_is_read_as_it_was(value: str) -> None:
    assert attributes_of(f'<a href="{escape(value)}">') == [("href", value)]


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert isinstance(attributes_of(f"<a {text}>"), list)
