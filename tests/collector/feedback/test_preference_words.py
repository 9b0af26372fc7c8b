"""The languages of the preference page."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.feedback.preference_words import LANGUAGES, PreferenceWords, choose_words
from collector.feedback.preferences import CHANNELS


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-CH, fr;q=0.8", "de"),
        ("it, fr;q=0.7, es;q=0.9", "es"),
        ("fr;q=0, de;q=0.1", "de"),
        ("zh-CN,zh;q=0.9", "en"),
        ("de;q=much, FR", "fr"),
        ("*", "en"),
    ],
)
def test_the_page_speaks_what_the_browser_prefers_of_its_languages(header: str, language: str) -> None:
    assert choose_words(header).language == language


@given(st.text())
def test_no_header_is_beyond_it(header: str) -> None:
    assert choose_words(header).language in LANGUAGES


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_each_language_says_everything(words: PreferenceWords) -> None:
    assert all(msgspec.structs.astuple(words))
    assert set(words.channel_names) == set(CHANNELS)
