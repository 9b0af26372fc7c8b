"""What a person said about messages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.answers import ANSWER_EVENTS, Answers
from warehouse.channel_traits import PREFERENCE_CHANNELS

Said = tuple[str, dict[str, Any]]


def heard(*said: Said) -> Answers:
    answers = Answers()
    for event, properties in said:
        answers.take(event, properties)
    return answers


def says(**answer: Any) -> Said:
    return "consent", answer


def left(channel: str = "") -> Said:
    return "unsubscribed", {"channel": channel} if channel else {}


SUBSCRIBES: Said = ("subscribe", {})
SMS = {"sms": True}


def test_nothing_said_is_nothing_known() -> None:
    answers = heard()
    assert (answers.marketing, answers.analytics, answers.channels, answers.left) == (None, None, {}, set())


def test_the_latest_word_counts_for_each_channel_by_itself() -> None:
    answers = heard(
        says(marketing=True, analytics=True, channels={"email": True, "push": False}),
        says(marketing=False),
        says(channels={"email": False, "sms": True}),
    )
    assert (answers.marketing, answers.analytics) == (False, True)
    assert answers.channels == {"email": False, "push": False, "sms": True}


def test_null_is_no_answer() -> None:
    answers = heard(says(marketing=None, analytics=None, channels={"email": None}), says(channels=None))
    assert (answers.marketing, answers.analytics, answers.channels) == (None, None, {})


@pytest.mark.parametrize("word", [False, "false", 0, "denied", "hm", "", [], {}])
def test_a_word_that_is_no_yes_is_a_no(word: object) -> None:
    answers = heard(says(marketing=word, analytics=word, channels={"email": word}))
    assert (answers.marketing, answers.analytics, answers.channels) == (False, False, {"email": False})


@pytest.mark.parametrize("word", [True, "true", 1, "Granted"])
def test_a_yes_is_one_in_any_spelling(word: object) -> None:
    answers = heard(says(marketing=word, analytics=word, channels={"E-Mail": word}))
    assert (answers.marketing, answers.analytics, answers.channels) == (True, True, {"email": True})


@pytest.mark.parametrize(
    ("channel", "left"),
    [
        ("Email", {"email"}),
        ("web push", {"push"}),
        (["SMS", "email"], {"sms", "email"}),
        ("all", set(PREFERENCE_CHANNELS)),
        ("*", set(PREFERENCE_CHANNELS)),
        ("carrier pigeon", set(PREFERENCE_CHANNELS)),
        ({"email": True}, set(PREFERENCE_CHANNELS)),
        (None, {"email"}),
        ("", {"email"}),
    ],
)
def test_a_channel_that_cannot_be_read_is_every_channel_to_leave_and_none_to_join(channel: Any, left: set[str]) -> None:
    assert heard(("unsubscribed", {"channel": channel})).left == left
    stays = set(PREFERENCE_CHANNELS) - left if left != set(PREFERENCE_CHANNELS) else set()
    if channel in ("carrier pigeon", {"email": True}):
        stays = set(PREFERENCE_CHANNELS)
    assert heard(("unsubscribed", {"channel": "all"}), ("subscribe", {"channel": channel})).left == stays


OFFERS_YES = {"accepts_marketing": True}
OFFERS_NO = {"email_marketing_consent": {"state": "unsubscribed"}}


@pytest.mark.parametrize(
    ("told", "left"),
    [
        ([OFFERS_NO], {"email"}),
        ([OFFERS_NO, OFFERS_YES], set()),
        ([OFFERS_YES, OFFERS_NO], {"email"}),
        ([OFFERS_NO, {"email_marketing_consent": None}], {"email"}),
        # What a platform still has does not take back what the person said to us.
        ([left(), OFFERS_YES], {"email"}),
        ([OFFERS_NO, left(), OFFERS_YES], {"email"}),
        ([OFFERS_NO, SUBSCRIBES], set()),
        ([OFFERS_NO, says(marketing=True)], set()),
        ([OFFERS_NO, says(channels={"email": True})], set()),
        ([OFFERS_NO, says(marketing=True), OFFERS_NO], {"email"}),
    ],
)
def test_traits_of_platforms_say_whether_offers_are_wanted(told: list[Any], left: set[str]) -> None:
    answers = Answers()
    for one in told:
        if isinstance(one, tuple):
            answers.take(*one)
        else:
            answers.take_traits(one)
    assert answers.left == left


@pytest.mark.parametrize(
    ("said", "channels"),
    [
        ([left()], {"email"}),
        ([left("sms"), left()], {"sms", "email"}),
        ([left("sms"), says(channels=SMS)], set()),
        ([left("sms"), left(), says(channels=SMS)], {"email"}),
        ([says(channels=SMS), left("sms")], {"sms"}),
        # START after STOP takes back, also when it was a yes before.
        ([says(channels=SMS), left("sms"), says(channels=SMS, source="sms_reply")], set()),
        # A dialogue that says again what it was told long ago takes nobody back.
        ([says(channels=SMS), left("sms"), says(channels=SMS, source="page")], {"sms"}),
        ([says(marketing=True), left(), says(marketing=True, source="page")], {"email"}),
        ([left("sms"), says(channels=SMS, source="page")], set()),
        ([left(), says(marketing=True, source="page")], set()),
        ([says(marketing=True), left(), says(marketing=True, source="server")], set()),
        ([says(marketing=False), left(), says(marketing=True, source="page")], set()),
        ([left(), says(marketing=False)], {"email"}),
        ([left(), says(analytics=True)], {"email"}),
        ([left(), SUBSCRIBES], set()),
        ([left("sms"), SUBSCRIBES], {"sms"}),
        ([left("sms"), ("subscribe", {"channel": "sms"})], set()),
        ([left("sms"), ("page_view", {"channel": "sms"})], {"sms"}),
    ],
)
def test_who_left_a_channel_stays_away_until_they_come_back(said: list[Said], channels: set[str]) -> None:
    assert heard(*said).left == channels
    assert {event for event, _ in said} - {"page_view"} <= ANSWER_EVENTS


yes_or_no = st.sampled_from([True, False, None])
answers_of_a_page = st.builds(
    lambda marketing, email: says(marketing=marketing, channels={"email": email}, source="page"), yes_or_no, yes_or_no
)


@given(st.lists(answers_of_a_page | st.just(left()) | st.just(SUBSCRIBES)))
def test_who_left_last_of_all_is_away_and_who_came_back_last_of_all_is_not(said: list[Said]) -> None:
    assert "email" in heard(*said, left()).left
    assert "email" not in heard(*said, SUBSCRIBES).left
    assert "email" not in heard(*said, says(channels={"email": True})).left
