"""The forms that Twilio posts: their signature, and the intent of a reply."""

from __future__ import annotations

import pytest

from collector.feedback.sms_provider import ReplyIntent, is_genuine_form, read_intent, sms_signature

#: The example of the provider's own libraries.
TOKEN = "12345"
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
    ("Caller", "+14158675309"),
]
SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_signs_as_the_provider_does() -> None:
    assert sms_signature(TOKEN, URL, FORM) == SIGNATURE
    assert is_genuine_form(TOKEN, URL, list(reversed(FORM)), SIGNATURE)


def test_a_field_that_is_there_twice_counts_once_for_each_value() -> None:
    assert sms_signature(TOKEN, URL, [*FORM, FORM[0]]) == SIGNATURE
    assert sms_signature(TOKEN, URL, [*FORM, ("Digits", "5")]) != SIGNATURE


@pytest.mark.parametrize(
    ("token", "url", "form", "signature"),
    [
        ("54321", URL, FORM, SIGNATURE),
        (TOKEN, URL.replace("https", "http"), FORM, SIGNATURE),
        (TOKEN, URL + "&baz=3", FORM, SIGNATURE),
        (TOKEN, URL, FORM[1:], SIGNATURE),
        (TOKEN, URL, [*FORM[1:], ("CallSid", "other")], SIGNATURE),
        (TOKEN, URL, [*FORM, ("New", "")], SIGNATURE),
        (TOKEN, URL, FORM, SIGNATURE.lower()),
        (TOKEN, URL, FORM, "grüße"),
        (TOKEN, URL, FORM, ""),
    ],
)
def test_anything_else_is_not_genuine(token: str, url: str, form: list[tuple[str, str]], signature: str) -> None:
    assert not is_genuine_form(token, url, form, signature)


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
def test_small_talk_has_no_intent(body: str) -> None:
    assert read_intent({"Body": body}) is None
    assert read_intent({}) is None


@pytest.mark.parametrize(
    ("body", "kind", "intent"),
    [("BASTA", "STOP", "leave"), ("si", "START", "return"), ("STOP", "START", "return"), ("info", "HELP", None)],
)
def test_what_the_provider_read_out_of_a_reply_wins(body: str, kind: str, intent: ReplyIntent | None) -> None:
    assert read_intent({"Body": body, "OptOutType": kind}) == intent
