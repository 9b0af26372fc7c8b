"""Mail to addresses of every script: sent where the server takes them, else given up with the reason."""

from __future__ import annotations

import pytest

from tests.trigger_worker.delivery.channels.mail_peer import MailPeer
from tests.trigger_worker.delivery.channels.test_email import channel, message
from tests.trigger_worker.shop import EMAIL, Shop
from trigger_worker.delivery.channels.base import DeliveryPostponed
from trigger_worker.store.addresses import store_facts
from warehouse.address_ledger import AddressFact, AddressKeys
from warehouse.errors import ConfigurationError, DeliveryError

MUELLER = "m\u00fcller.example"
XN = "xn--mller-kva.example"
JUERGEN = f"j\u00fcrgen@{XN}"
RULE = "when: hover\nevery: 0s\nsend:\n  - email: reminder\n"


async def test_a_server_that_takes_every_script_gets_the_mailbox_as_it_is() -> None:
    async with MailPeer(utf8=True) as peer, channel(peer.port) as email:
        await email.send(message(JUERGEN))
        await email.send(message("ada@example.com"))
    assert peer.recipients == [JUERGEN, "ada@example.com"]
    assert f"To: {JUERGEN}\r\n".encode() in peer.raw[0]
    assert "Subject: Gr\u00fc\u00dfe \U0001f381\r\n".encode() in peer.raw[0]
    # What every server takes goes to it as ever.
    assert all(line.isascii() for line in peer.raw[1].splitlines())


async def test_a_server_that_does_not_gives_the_mail_up_and_says_why(mail_peer: MailPeer) -> None:
    async with channel(mail_peer.port) as email:
        with pytest.raises(DeliveryError, match="takes no mailbox with letters beyond ASCII") as refusal:
            await email.send(message(JUERGEN))
        assert not isinstance(refusal.value, DeliveryPostponed)
        assert "SMTPUTF8" in refusal.value.hint
        await email.send(message(f"ada@{XN}"))
    assert mail_peer.recipients == [f"ada@{XN}"]


@pytest.mark.parametrize(
    "address", ["ada@[192.0.2.1]", '"a b"@x.example', "a@x.example,b@x.example", "a@x.example\r\nRCPT", ""]
)
async def test_what_is_no_address_never_comes_near_a_server(mail_peer: MailPeer, address: str) -> None:
    async with channel(mail_peer.port) as email:
        with pytest.raises(DeliveryError, match="no address that mail can go to"):
            await email.send(message(address))
    assert mail_peer.connections == 0 or mail_peer.received == []


def test_the_sender_may_have_a_domain_of_any_script_and_no_such_mailbox() -> None:
    assert channel(1, sender=f"Shop <hello@{MUELLER}>")._sender.addr_spec == f"hello@{XN}"
    with pytest.raises(ConfigurationError, match="which is no address"):
        channel(1, sender=f"Shop <{JUERGEN}>")


@pytest.mark.parametrize(
    ("told", "sent_to"),
    [
        (f"j\u00fcrgen@{MUELLER}", JUERGEN),
        (f"J\u00fcrgen M <J\u00fcrgen@{MUELLER.upper()}.>", f"J\u00fcrgen@{XN}"),
        (" Ada+Shop@Example.COM ", "Ada+Shop@Example.COM"),
    ],
)
async def test_a_person_is_written_to_at_the_address_that_they_told(shop: Shop, told: str, sent_to: str) -> None:
    shop.write("templates/reminder.email.html", EMAIL)
    shop.rule("r", RULE)
    shop.happens("identify", ago_ms=1000, traits={"email": told}, proven_by="server")
    shop.happens("hover")
    async with MailPeer(utf8=True) as peer, channel(peer.port) as email:
        await shop.uses(email)
        await shop.passes(5)
    assert peer.recipients == [sent_to]
    assert shop.states("email") >= {"sent"}


async def test_a_server_without_other_scripts_is_the_reason_that_a_message_failed(shop: Shop) -> None:
    shop.rule("r", RULE)
    shop.happens("identify", ago_ms=1000, traits={"email": JUERGEN}, proven_by="server")
    shop.happens("hover")
    async with MailPeer() as peer, channel(peer.port) as email:
        await shop.uses(email)
        await shop.passes(5)
    assert peer.received == []
    ((detail,),) = shop.rows("SELECT detail FROM messages WHERE state = 'failed'")
    assert '"refused"' in detail
    assert "SMTPUTF8" in detail
    assert "j\u00fcrgen" not in detail


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("ada@[192.0.2.1]", "ip_literal"),
        ('"a b"@x.example', "quoted"),
        ("ada@x.example, ben@x.example", "several"),
        ("ada", "no_address"),
        ("ada@\u2764.example", "bad_domain"),
    ],
)
async def test_an_address_that_takes_no_mail_is_the_verdict_with_its_reason(shop: Shop, told: str, why: str) -> None:
    shop.rule("r", RULE)
    shop.happens("identify", ago_ms=1000, traits={"email": told}, proven_by="server")
    shop.happens("hover")
    await shop.starts()
    await shop.passes(5)
    assert shop.rows("SELECT verdict, reason, detail FROM decisions") == [
        ("drop", "no_address", f'{{"channel":"email","why":"{why}"}}')
    ]
    assert shop.sent("email") == []


@pytest.mark.parametrize("spelling", [f"j\u00fcrgen@{MUELLER}", f"J\u00dcRGEN@{XN}", f"ju\u0308rgen@{MUELLER}."])
@pytest.mark.parametrize("by", ["ledger", "list"])
async def test_a_suppression_of_one_spelling_holds_for_the_others(shop: Shop, spelling: str, by: str) -> None:
    shop.rule("r", RULE)
    if by == "list":
        shop.write("suppressions.txt", f"{spelling}\n")
    else:
        key = AddressKeys(b"secret").of("shop", "email", spelling)
        assert key is not None
        store_facts(shop.warehouse, [AddressFact(key, "complained", shop.now_ms - 5_000, "email_complained")])
    shop.happens("identify", ago_ms=1000, traits={"email": f"J\u00fcrgen <j\u00fcrgen@{MUELLER}>"}, proven_by="server")
    shop.happens("hover")
    await shop.starts()
    await shop.passes(5)
    assert [row[:3] for row in shop.decisions()] == [("email", "drop", "suppressed")]
