from __future__ import annotations

from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage

import pytest
from aiosmtplib.email import flatten_message
from hypothesis import example, given
from hypothesis import strategies as st

from trigger_worker.delivery.channels.base import OutboundMessage
from trigger_worker.delivery.channels.mail_message import mail_message, parse_sender
from trigger_worker.delivery.content.email import EmailContent
from trigger_worker.delivery.content.fields import one_line
from warehouse.errors import DeliveryError

SENDER = Address("Shop", addr_spec="hello@shop.example")


WAY_OUT = "https://collector.example/v1/u/" + "t" * 400


def mail_of(
    subject: str = "Hi",
    recipient: str = "ada@example.com",
    message_id: str = "m",
    text: str = "x",
    html: str = "<p>",
    way_out: str = "",
) -> EmailMessage:
    content = EmailContent(subject=subject, html=html, text=text)
    message = OutboundMessage(
        message_id=message_id,
        site="shop",
        rule="hello",
        visitor_id="ada",
        channel="email",
        recipients=(recipient,),
        content=content,
        expires_at_ms=0,
    )
    return mail_message(message, content, SENDER, 0, way_out)


def carried(mail: EmailMessage) -> EmailMessage:
    """The mail as it is read at the other end."""
    return message_from_bytes(flatten_message(mail), policy=policy.default)


@given(st.text())
def test_a_subject_arrives_as_it_was_and_adds_no_header(fact: str) -> None:
    subject = one_line(fact, 200)
    mail = carried(mail_of(subject))
    assert " ".join(mail["Subject"].split()) == " ".join(subject.split())
    assert set(mail.keys()) == {
        *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type")
    }


@given(st.text())
@example("a..b@shop.example")
@example(".@shop.example")
def test_a_recipient_is_one_address_or_none(recipient: str) -> None:
    try:
        mail = mail_of(recipient=recipient)
    except DeliveryError:
        return
    assert [address.addr_spec for address in mail["To"].addresses] == [recipient]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_can_be_carried(fact: str) -> None:
    assert carried(mail_of(text=fact, html=fact)).is_multipart()


def test_a_message_id_stays_one_token() -> None:
    mail = mail_of(message_id="a b>\r\nBcc: x@y")
    assert mail["Message-ID"] == "<a-b---Bcc--x-y@shop.example>"


def test_mail_programs_find_the_way_out_in_one_piece() -> None:
    raw = flatten_message(mail_of(way_out=WAY_OUT))
    assert f"\r\nList-Unsubscribe: <{WAY_OUT}>\r\n".encode() in raw
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw


def test_a_mail_without_a_way_out_names_none() -> None:
    assert [name for name in mail_of().keys() if name.startswith("List-")] == []  # noqa: SIM118 - headers repeat


def test_no_line_of_a_mail_is_longer_than_servers_take() -> None:
    mail = mail_of(way_out=WAY_OUT + "t" * 600, text="x" * 2000, html="x" * 2000)
    assert "List-Unsubscribe" not in mail
    assert max(map(len, flatten_message(mail).split(b"\r\n"))) <= 998


@given(st.text(max_size=40), st.text(max_size=40))
@example("", ".")
def test_no_name_of_a_sender_adds_a_header(name: str, box: str) -> None:
    sender = parse_sender(f"{name} <{box}@shop.example>")
    if sender is not None:
        mail = message_from_bytes(flatten_message(_from(sender)), policy=policy.default)
        assert set(mail.keys()) == {"From"}
        assert len(mail["From"].addresses) == 1


def _from(sender: Address) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = sender
    return mail


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
