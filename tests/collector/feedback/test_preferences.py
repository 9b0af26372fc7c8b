"""A person's preferences so far, the answers of the preference page, and its languages."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.feedback.preferences import (
    CHANNELS,
    LANGUAGES,
    Preferences,
    PreferenceWords,
    answer_of_form,
    choose_words,
    preferences_after,
    read_preferences,
)
from tests.collector.messages import NOON
from warehouse.connection import Warehouse
from warehouse.event import EventRow, format_time
from warehouse.message_token import MessageToken

YES: Any = {"marketing": True}
NO: Any = {"marketing": False}


def store(warehouse: Warehouse, *events: tuple[str, str, dict[str, Any]], user: str = "") -> None:
    """Store (visitor, name, properties), one second after the other."""
    rows = [
        EventRow(
            site="shop",
            event=name,
            type="track",
            event_id=f"{visitor}-{number}-{name}",
            visitor_id=user or visitor,
            anonymous_id=visitor if user else "",
            user_id=user,
            ts=format_time(NOON + number * 1000),
            received_at=format_time(NOON),
            source="live",
            props=msgspec.json.encode(properties).decode(),
        )
        for number, (visitor, name, properties) in enumerate(events)
    ]
    lines = b"\n".join(map(msgspec.json.encode, rows))
    warehouse.insert_lines("events", lines, f"{user}-{len(rows)}-{rows[0].event_id}")


def token(visitor_id: str = "anna", channel: str = "email") -> MessageToken:
    return MessageToken("shop", "message-1", "rule", visitor_id, channel)


@pytest.mark.parametrize(
    ("answers", "marketing", "refused"),
    [
        ([], True, []),
        ([("consent", YES)], True, []),
        ([("consent", NO)], False, []),
        ([("consent", NO), ("consent", YES)], True, []),
        ([("consent", {"analytics": False})], True, []),
        ([("consent", {"channels": {"sms": False, "email": True}})], True, ["sms"]),
        ([("consent", {"channels": {"sms": False}}), ("consent", {"channels": {"sms": True}})], True, []),
        ([("unsubscribed", {"channel": "email"})], False, []),
        ([("unsubscribed", {})], False, []),
        ([("unsubscribed", {"channel": "sms"})], True, []),
        ([("unsubscribed", {}), ("subscribe", {})], True, []),
        ([("unsubscribed", {}), ("consent", YES)], True, []),
        ([("consent", YES), ("unsubscribed", {}), ("consent", {**YES, "source": "page"})], False, []),
        ([("consent", YES), ("unsubscribed", {}), ("consent", {"channels": {"email": True}})], True, []),
        (
            [("consent", {"marketing": "no", "channels": ["sms"]}), ("consent", {"channels": {"SMS": 0}})],
            False,
            ["sms"],
        ),
        ([("unsubscribed", {"channel": "all"})], False, []),
        ([("identify", {"traits": {"consent": "denied"}})], False, []),
        ([("identify", {"traits": {"accepts_marketing": "false"}})], False, []),
        ([("identify", {"traits": {"plan": "gold"}}), ("identify", {"traits": 7})], True, []),
    ],
)
def test_the_latest_word_counts(answers: list[tuple[str, Any]], marketing: bool, refused: list[str]) -> None:
    preferences = preferences_after(answers, "email")
    assert preferences.marketing is marketing
    assert [name for name in CHANNELS if not preferences.channels[name]] == refused


@pytest.mark.parametrize(
    ("marketing", "refused", "shown_off", "said"),
    [
        (True, [], [], {}),
        (False, [], [], NO),
        (False, [], ["marketing"], NO),
        (True, ["sms"], [], {"channels": {"sms": False}}),
        (True, ["sms"], ["sms"], {"channels": {"sms": False}}),
        (True, [], ["sms"], {"channels": {"sms": True}}),
        (True, [], ["marketing"], {"marketing": True, "channels": {"email": True}}),
        (True, ["email"], ["marketing"], {"marketing": True, "channels": {"email": False}}),
    ],
)
def test_only_a_no_and_a_box_that_was_newly_ticked_are_answers(
    marketing: bool, refused: list[str], shown_off: list[str], said: dict[str, Any]
) -> None:
    chosen = Preferences(marketing, {name: name not in refused for name in CHANNELS})
    assert answer_of_form(chosen, set(shown_off), "email") == said


def test_words_are_read_in_their_order(warehouse: Warehouse) -> None:
    store(warehouse, ("anna", "consent", NO), ("anna", "consent", YES), ("bob", "consent", NO))
    assert read_preferences(warehouse, token()).marketing


def test_who_never_said_anything_is_shown_as_agreeing(warehouse: Warehouse) -> None:
    assert read_preferences(warehouse, token()).channels == dict.fromkeys(CHANNELS, True)


@pytest.mark.parametrize("visitor_id", ["u1", "phone", "tablet"])
def test_a_person_is_known_by_any_of_their_ids(warehouse: Warehouse, visitor_id: str) -> None:
    store(warehouse, ("phone", "identify", {}), ("tablet", "identify", {}), user="u1")
    store(warehouse, ("tablet", "consent", {"channels": {"push": False}}))
    assert not read_preferences(warehouse, token(visitor_id)).channels["push"]


def test_a_browser_that_somebody_else_uses_now_says_nothing_for_its_former_user(warehouse: Warehouse) -> None:
    store(warehouse, ("tablet", "identify", {}), user="u1")
    store(warehouse, ("phone", "identify", {}), ("tablet", "identify", {}), ("tablet", "identify", {}), user="u2")
    store(warehouse, ("tablet", "consent", NO))
    assert read_preferences(warehouse, token("u1")).marketing
    assert not read_preferences(warehouse, token("u2")).marketing


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
