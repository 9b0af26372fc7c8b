"""Replies to text messages."""

from __future__ import annotations

import pytest

from collector.feedback.sms_reply import ReplyIntent, read_intent


@pytest.mark.parametrize(
    "body",
    ["STOP", "stop", " Stop. ", "StopAll", "UNSUBSCRIBE", "cancel", "End", "QUIT", "Stopp!", "Arret", "'stop'\n"],
)
def test_one_word_is_enough_to_leave(body: str) -> None:
    assert read_intent({"Body": body}) == "leave"


@pytest.mark.parametrize("body", ["START", "start", "Unstop!"])
def test_one_word_is_enough_to_come_back(body: str) -> None:
    assert read_intent({"Body": body}) == "return"


@pytest.mark.parametrize("body", ["please stop by at 5", "yes", "no", "", " ", "HELP", "stop start"])
def test_small_talk_is_no_wish(body: str) -> None:
    assert read_intent({"Body": body}) is None
    assert read_intent({}) is None


@pytest.mark.parametrize(
    ("body", "kind", "intent"),
    [("BASTA", "STOP", "leave"), ("si", "START", "return"), ("STOP", "START", "return"), ("info", "HELP", None)],
)
def test_what_the_provider_read_out_of_a_reply_wins(body: str, kind: str, intent: ReplyIntent | None) -> None:
    assert read_intent({"Body": body, "OptOutType": kind}) == intent
