"""Twilio's signature of what it posts."""

from __future__ import annotations

import pytest

from collector.feedback.sms_signature import is_genuine_form, sms_signature

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
