"""Parts of a text message, counted as 3GPP TS 23.038 and 23.040 say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.delivery.content.sms_segments import count_segments


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
