from __future__ import annotations

from email import message_from_bytes, policy
from email.headerregistry import Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.channels.base import OutboundMessage
from trigger_worker.channels.mail_message import mail_message, parse_sender
from trigger_worker.content.bounds import one_line
from trigger_worker.content.model import EmailContent
from warehouse.errors import DeliveryError

SENDER = Address("Shop", addr_spec="hello@shop.example")


def outbound(
    subject: str = "Hi", recipient: str = "ada@example.com", message_id: str = "m", text: str = "x", html: str = "<p>"
) -> OutboundMessage:
    return OutboundMessage(
        message_id=message_id,
        site="shop",
        rule="hello",
        visitor_id="ada",
        recipients=(recipient,),
        content=EmailContent(subject=subject, html=html, text=text),
        expires_at_ms=0,
    )


@given(st.text())
def test_a_subject_arrives_as_it_was_and_adds_no_header(fact: str) -> None:
    subject = one_line(fact, 200)
    mail = message_from_bytes(mail_message(outbound(subject), SENDER, 0).as_bytes(), policy=policy.default)
    assert " ".join(mail["Subject"].split()) == " ".join(subject.split())
    assert set(mail.keys()) == {
        *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type")
    }


@given(st.text())
def test_a_recipient_is_one_address_or_none(recipient: str) -> None:
    try:
        mail = mail_message(outbound(recipient=recipient), SENDER, 0)
    except DeliveryError:
        return
    assert [address.addr_spec for address in mail["To"].addresses] == [recipient]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_can_be_carried(fact: str) -> None:
    mail = mail_message(outbound(text=fact, html=fact), SENDER, 0)
    assert message_from_bytes(mail.as_bytes(), policy=policy.default).is_multipart()


def test_a_message_id_stays_one_token() -> None:
    mail = mail_message(outbound(message_id="a b>\r\nBcc: x@y"), SENDER, 0)
    assert mail["Message-ID"] == "<a-b---Bcc--x-y@shop.example>"


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("hello@shop.example", "", "hello@shop.example"),
        ("Shop <hello@shop.example>", "Shop", "hello@shop.example"),
        ('"Shop, Inc." <hello@shop.example>', "Shop, Inc.", "hello@shop.example"),
        ("Grüße <hello@localhost>", "Grüße", "hello@localhost"),
    ],
)
def test_reads_a_sender(text: str, name: str, address: str) -> None:
    sender = parse_sender(text)
    assert sender is not None
    assert (sender.display_name, sender.addr_spec) == (name, address)
