from __future__ import annotations

import asyncio

import pytest

from tests.trigger_worker.delivery.channels.conftest import Certificate
from tests.trigger_worker.delivery.channels.mail_peer import MailPeer
from trigger_worker.delivery.channels.base import DeliveryPostponed, DeliveryUncertain, OutboundMessage
from trigger_worker.delivery.channels.email import EmailChannel, EmailSettings
from trigger_worker.delivery.content.banner import BannerContent
from trigger_worker.delivery.content.email import EmailContent
from trigger_worker.delivery.content.model import Content
from warehouse.errors import ConfigurationError, DeliveryError

NOW = 1_795_348_800_000
CONTENT = EmailContent(subject="Grüße 🎁", preheader="", html="<p>Hällo</p>", text="Hällo\n")


def message(
    recipient: str = "ada@example.com", message_id: str = "0198-a", content: Content = CONTENT
) -> OutboundMessage:
    return OutboundMessage(
        message_id=message_id,
        site="shop",
        rule="cart_abandoned",
        visitor_id="ada",
        channel="email",
        recipients=(recipient,) if recipient else (),
        content=content,
        expires_at_ms=NOW + 1,
    )


def channel(port: int, certificate: Certificate | None = None, **other: object) -> EmailChannel:
    settings = {"host": "127.0.0.1", "port": port, "sender": "My Shop <hello@shop.example>", "timeout_s": 5.0, **other}
    return EmailChannel(
        EmailSettings(**settings),  # type: ignore[arg-type]  # each test names the settings that matter to it
        lambda: NOW,
        certificate.client if certificate else None,
    )


async def test_the_server_gets_both_alternatives_and_the_identity(mail_peer: MailPeer) -> None:
    async with channel(mail_peer.port) as email:
        await email.send(message())
    [mail] = mail_peer.received
    assert mail_peer.recipients == ["ada@example.com"]
    assert mail["Subject"] == "Grüße 🎁"
    assert mail["From"] == "My Shop <hello@shop.example>"
    assert mail["To"] == "ada@example.com"
    assert mail["Message-ID"] == "<0198-a@shop.example>"
    assert mail["Date"].datetime.timestamp() * 1000 == NOW
    assert mail.get_content_type() == "multipart/alternative"
    parts = [(part.get_content_type(), part.get_content().rstrip()) for part in mail.iter_parts()]
    assert parts == [("text/plain", "Hällo"), ("text/html", "<p>Hällo</p>")]


async def test_one_connection_serves_message_after_message(mail_peer: MailPeer) -> None:
    async with channel(mail_peer.port) as email:
        for number in range(5):
            await email.send(message(message_id=f"m-{number}"))
    assert [mail["Message-ID"] for mail in mail_peer.received] == [f"<m-{number}@shop.example>" for number in range(5)]
    assert mail_peer.connections == 1


async def test_no_more_connections_than_set_serve_messages_that_come_together(mail_peer: MailPeer) -> None:
    async with channel(mail_peer.port, connections=2) as email:
        await asyncio.gather(*(email.send(message(message_id=f"m-{number}")) for number in range(10)))
    assert len(mail_peer.received) == 10
    assert mail_peer.connections == 2


async def test_a_connection_that_the_server_dropped_is_replaced(mail_peer: MailPeer) -> None:
    async with channel(mail_peer.port) as email:
        await email.send(message())
        mail_peer.hang_up()
        await email.send(message())
    assert (len(mail_peer.received), mail_peer.connections) == (2, 2)


@pytest.mark.parametrize("after", ["recipient", "message"])
@pytest.mark.parametrize(
    ("reply", "retryable"),
    [("421 Too busy", True), ("451 Try again", True), ("550 No such box", False), ("554 Refused", False)],
)
async def test_the_code_of_the_reply_decides_whether_to_try_again(
    mail_peer: MailPeer, after: str, reply: str, retryable: bool
) -> None:
    (mail_peer.recipient_replies if after == "recipient" else mail_peer.message_replies).append(reply)
    async with channel(mail_peer.port) as email:
        with pytest.raises(DeliveryError) as failure:
            await email.send(message())
        assert failure.value.retryable is retryable
        assert str(mail_peer.port) in failure.value.message
        assert mail_peer.received == []
        await email.send(message())
    assert len(mail_peer.received) == 1


async def test_a_server_that_puts_strangers_off_is_tried_again_and_gets_the_same_mail(mail_peer: MailPeer) -> None:
    mail_peer.recipient_replies = ["450 4.2.0 Greylisted, come back in a minute"]
    async with channel(mail_peer.port) as email:
        with pytest.raises(DeliveryPostponed, match="Greylisted"):
            await email.send(message())
        await email.send(message())
    assert [mail["Message-ID"] for mail in mail_peer.received] == ["<0198-a@shop.example>"]


async def test_a_connection_that_breaks_before_the_text_left_no_doubt(mail_peer: MailPeer) -> None:
    mail_peer.cut_after = "recipient"
    async with channel(mail_peer.port) as email:
        with pytest.raises(DeliveryPostponed) as failure:
            await email.send(message())
        assert not isinstance(failure.value, DeliveryUncertain)
        await email.send(message())
    assert len(mail_peer.received) == 1


async def test_of_a_connection_that_breaks_after_the_text_nobody_knows(mail_peer: MailPeer) -> None:
    mail_peer.cut_after = "message"
    async with channel(mail_peer.port) as email:
        with pytest.raises(DeliveryUncertain, match="never answered"):
            await email.send(message())
    assert len(mail_peer.received) == 1


async def test_a_server_that_is_away_may_be_back_later(mail_peer: MailPeer) -> None:
    await mail_peer.__aexit__()
    async with channel(mail_peer.port) as email:
        with pytest.raises(DeliveryPostponed, match="cannot be used") as failure:
            await email.send(message())
    assert failure.value.hint


async def test_a_server_that_never_answers_is_given_up() -> None:
    gone = asyncio.Event()

    async def stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        gone.set()

    async with await asyncio.start_server(stay_silent, "127.0.0.1", 0) as server:
        async with channel(server.sockets[0].getsockname()[1], timeout_s=0.1) as email:
            with pytest.raises(DeliveryPostponed):
                await email.send(message())
        await gone.wait()


async def test_starttls_and_login(certificate: Certificate) -> None:
    async with MailPeer(tls=certificate.server, login=(b"shop", b"secret")) as peer:
        async with channel(
            peer.port, certificate, host="localhost", security="starttls", username="shop", password="secret"
        ) as email:
            await email.send(message())
        assert len(peer.received) == 1


async def test_tls_from_the_start(certificate: Certificate) -> None:
    async with MailPeer(tls_from_start=certificate.server) as peer:
        async with channel(peer.port, certificate, host="localhost", security="tls") as email:
            await email.send(message())
            await email.send(message(message_id="0198-b"))
        assert len(peer.received) == 2
        assert peer.connections == 1


async def test_tls_from_the_start_trusts_nobody_by_itself(certificate: Certificate) -> None:
    async with MailPeer(tls_from_start=certificate.server) as peer:
        async with channel(peer.port, host="localhost", security="tls") as email:
            with pytest.raises(DeliveryPostponed, match="cannot be used"):
                await email.send(message())
        assert peer.received == []


async def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Certificate) -> None:
    async with MailPeer(tls=certificate.server) as peer:
        async with channel(peer.port, host="localhost", security="starttls") as email:
            with pytest.raises(DeliveryPostponed, match="cannot be used"):
                await email.send(message())
        assert peer.received == []


async def test_a_wrong_password_blames_the_settings_and_not_the_message(certificate: Certificate) -> None:
    async with (
        MailPeer(tls=certificate.server, login=(b"shop", b"secret")) as peer,
        channel(
            peer.port, certificate, host="localhost", security="starttls", username="shop", password="wrong"
        ) as email,
    ):
        with pytest.raises(DeliveryPostponed, match="cannot be used") as failure:
            await email.send(message())
    assert "password" in failure.value.hint
    assert "wrong" not in str(failure.value)


async def test_starttls_is_not_given_up_where_the_server_has_none(mail_peer: MailPeer) -> None:
    async with channel(mail_peer.port, security="starttls") as email:
        with pytest.raises(DeliveryPostponed):
            await email.send(message())
    assert mail_peer.received == []


@pytest.mark.parametrize(
    "recipient",
    [
        "",
        "ada",
        "ada@",
        "a@b, evil@c",
        "a@b\r\nBcc: evil@c",
        "Ada <ada@example.com>",
        "a b@c",
        "a@b@c",
        ".@b",
        "a..b@c",
    ],
)
async def test_what_is_not_one_address_is_final(mail_peer: MailPeer, recipient: str) -> None:
    async with channel(mail_peer.port) as email:
        with pytest.raises(DeliveryError) as failure:
            await email.send(message(recipient))
    assert not failure.value.retryable
    assert mail_peer.connections == 0


async def test_another_channels_content_is_final(mail_peer: MailPeer) -> None:
    async with channel(mail_peer.port) as email:
        with pytest.raises(DeliveryError, match="carries BannerContent"):
            await email.send(message(content=BannerContent(form="bar", title="x")))


@pytest.mark.parametrize("sender", ["", "Shop", "a@b\r\nBcc: c@d", "Shop <nobody>"])
def test_a_sender_must_be_an_address(sender: str) -> None:
    with pytest.raises(ConfigurationError, match="the sender of emails"):
        channel(25, sender=sender)


def test_settings_do_not_show_the_password() -> None:
    assert "secret" not in repr(EmailSettings(host="h", port=25, sender="a@b", username="u", password="secret"))


async def test_no_connection_is_left_open(mail_peer: MailPeer) -> None:
    async with channel(mail_peer.port) as email:
        await email.send(message())
    assert (mail_peer.connections, mail_peer.open_connections()) == (1, 0)
