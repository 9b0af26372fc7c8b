"""What a reader said so far, as the preference page shows it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from collector.feedback.message_link import MessageLink
from collector.feedback.preferences import CHANNELS, Preferences, answer, read_preferences, told
from tests.collector.collector_parts import SHOP
from warehouse.connection import Warehouse
from warehouse.event import EventRow, format_time
from warehouse.message_token import MessageToken

NOON = 1_795_348_800_000
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


def link(visitor_id: str = "anna", channel: str = "email") -> MessageLink:
    return MessageLink(MessageToken("shop", "message-1", "rule", visitor_id, channel), SHOP)


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
        ([("consent", {"marketing": "no", "channels": ["sms"]}), ("consent", {"channels": {"sms": "no"}})], True, []),
    ],
)
def test_the_latest_word_counts(answers: list[tuple[str, Any]], marketing: bool, refused: list[str]) -> None:
    preferences = told(answers, "email")
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
    assert answer(chosen, set(shown_off), "email") == said


def test_words_are_read_in_their_order(warehouse: Warehouse) -> None:
    store(warehouse, ("anna", "consent", NO), ("anna", "consent", YES), ("bob", "consent", NO))
    assert read_preferences(warehouse, link()).marketing


def test_who_never_said_anything_is_shown_as_agreeing(warehouse: Warehouse) -> None:
    assert read_preferences(warehouse, link()).channels == dict.fromkeys(CHANNELS, True)


@pytest.mark.parametrize("visitor_id", ["u1", "phone", "tablet"])
def test_a_person_is_known_by_any_of_their_ids(warehouse: Warehouse, visitor_id: str) -> None:
    store(warehouse, ("phone", "identify", {}), ("tablet", "identify", {}), user="u1")
    store(warehouse, ("tablet", "consent", {"channels": {"push": False}}))
    assert not read_preferences(warehouse, link(visitor_id)).channels["push"]


def test_a_browser_that_somebody_else_uses_now_says_nothing_for_its_former_user(warehouse: Warehouse) -> None:
    store(warehouse, ("tablet", "identify", {}), user="u1")
    store(warehouse, ("phone", "identify", {}), ("tablet", "identify", {}), ("tablet", "identify", {}), user="u2")
    store(warehouse, ("tablet", "consent", NO))
    assert read_preferences(warehouse, link("u1")).marketing
    assert not read_preferences(warehouse, link("u2")).marketing
