from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.delivery.content.fields import one_line, several_lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("as it is", "as it is"),
        ("  two\r\n lines\t", "two lines"),
        ("Bcc: evil@example.com\r\n\r\nbody", "Bcc: evil@exa…"),
        ("null\0byte", "null byte"),
        ("right\u202eto left", "right to left"),
        ("next\u2028line\x85", "next line"),
        ("exactly 14 has", "exactly 14 has"),
        ("exactly 15 char", "exactly 15 ch…"),
        ("Grüße 🎁", "Grüße 🎁"),
        ("", ""),
    ],
)
def test_makes_one_bounded_line(text: str, expected: str) -> None:
    assert one_line(text, 14) == expected


@given(st.text(), st.integers(1, 50))
def test_no_text_breaks_out_of_its_line(text: str, longest: int) -> None:
    line = one_line(text, longest)
    assert len(line) <= longest
    assert len(line.splitlines()) <= 1
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in line)


@given(st.text(), st.integers(4, 50))
def test_several_lines_stay_within_their_length_and_hold_nothing_but_text(text: str, longest: int) -> None:
    lines = several_lines(text, longest)
    assert len(lines) <= longest
    assert "\n\n\n" not in lines
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in lines if character != "\n")
    assert several_lines(lines, longest) == lines
