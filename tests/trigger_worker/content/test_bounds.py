from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.content.bounds import one_line


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
