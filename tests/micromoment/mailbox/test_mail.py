from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micromoment.mailbox.mail import Mail, parse_mail

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def parsed(content: bytes) -> Mail:
    return parse_mail(content, mail_id=1, received_at=NOON, sender="shop@example.com", recipients=("ada@example.com",))


def test_takes_a_multipart_mail_apart() -> None:
    message = EmailMessage()
    message["From"] = "My Shop <hello@shop.example>"
    message["Subject"] = "Grüße 🎁"
    message.set_content("Hällo\n")
    message.add_alternative("<p>Hällo</p>\n", subtype="html")
    mail = parsed(message.as_bytes())
    assert (mail.sender_name, mail.sender, mail.subject) == ("My Shop", "hello@shop.example", "Grüße 🎁")
    assert (mail.text, mail.html) == ("Hällo\n", "<p>Hällo</p>\n")
    assert mail.headers[:2] == (("From", "My Shop <hello@shop.example>"), ("Subject", "Grüße 🎁"))
    assert (mail.id, mail.received_at, mail.recipients) == (1, NOON, ("ada@example.com",))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", ""),
        (b"Subject: x\r\n\r\nplain", "plain"),
        (b"Content-Type: text/plain; charset=nonsense\r\n\r\nplain", "plain"),
        (b"Content-Type: text/plain; charset=utf-8\r\n\r\n\xff", "\ufffd"),
        (b"Content-Type: image/png\r\n\r\nx", ""),
    ],
)
def test_reads_the_text_of_odd_mails(content: bytes, text: str) -> None:
    assert parsed(content).text == text


def test_the_envelope_stands_in_for_a_missing_sender() -> None:
    assert parsed(b"Subject: x\r\n\r\n").sender == "shop@example.com"


@given(st.binary(max_size=400), st.sampled_from([b"", b"From: ", b"Subject: =?utf-8?b?", b"Content-Type: "]))
def test_no_mail_is_refused_and_all_can_be_shown(noise: bytes, start: bytes) -> None:
    assert msgspec.json.encode(parsed(start + noise))
