"""Keys of addresses, and what is known of one."""

from __future__ import annotations

from itertools import permutations

import pytest

from warehouse.address_ledger import AddressKeys, Fact, Standing, spoken_by

KEYS = AddressKeys(b"secret")


@pytest.mark.parametrize(
    ("channel", "one", "other"),
    [
        ("email", "Ann@Example.com", " ann@example.com "),
        ("email", "ann@b\u00fccher.example", "ann@xn--bcher-kva.example"),
        ("sms", "+49 (0)171 1234567", "00491711234567"),
        ("push", "https://push.example/a", " https://push.example/a"),
    ],
)
def test_one_address_has_one_key_however_it_is_written(channel: str, one: str, other: str) -> None:
    assert KEYS.of("shop", channel, one) == KEYS.of("shop", channel, other)


@pytest.mark.parametrize(
    ("site", "channel", "address"),
    [
        ("other", "email", "ann@example.com"),
        ("shop", "email", "ann+shop@example.com"),
        ("shop", "sms", "ann@example.com"),
        ("shop\0email", "email", "ann@example.com"),
    ],
)
def test_another_site_channel_or_address_has_another_key(site: str, channel: str, address: str) -> None:
    assert KEYS.of("shop", "email", "ann@example.com") != KEYS.of(site, channel, address)


def test_a_key_tells_nothing_without_the_secret() -> None:
    key, other = (AddressKeys(secret).of("shop", "email", "ann@example.com") for secret in (b"secret", b"another"))
    assert key is not None
    assert other is not None
    assert key.address != other.address
    assert len(key.address) == 32
    assert "ann" not in key.address


@pytest.mark.parametrize("channel", ["banner", "webhook", "chat", "nonsense"])
def test_channels_that_lead_to_nobodys_address_have_no_ledger(channel: str) -> None:
    assert KEYS.of("shop", channel, "ann@example.com") is None


def test_no_address_has_no_key() -> None:
    assert KEYS.of("shop", "email", "  ") is None


FACTS: list[tuple[Fact, int]] = [("left", 5), ("returned", 5), ("refused", 4), ("allowed", 6)]


def test_the_order_in_which_facts_come_does_not_matter_and_of_equal_ones_the_no_counts() -> None:
    for order in permutations(FACTS):
        standing = Standing(order)
        assert (standing.left, standing.refused) == (True, False)


@pytest.mark.parametrize("fact", ["bounced", "complained"])
def test_a_suppressed_address_stays_so(fact: Fact) -> None:
    standing = Standing([(fact, 1), ("returned", 2), ("allowed", 2), ("confirmed", 2)])
    assert standing.suppressed == fact


@pytest.mark.parametrize(
    ("answer", "facts"),
    [
        ({"marketing": False}, ["left"]),
        ({"marketing": True}, ["returned"]),
        ({"channels": {"email": False}}, ["refused"]),
        ({"channels": {"email": True}}, ["allowed", "returned"]),
        ({"channels": {"email": True}, "marketing": False}, ["left", "allowed"]),
        ({"channels": {"sms": False}}, []),
        ({"channels": ["email"], "marketing": "no"}, ["left", "allowed"]),
        ({"channels": {"Email": "no"}}, ["refused"]),
        ({"marketing": "hm"}, ["left"]),
        ({"offers": {"email": False}}, ["left"]),
        # What a platform still has brings no address back.
        ({"offers": {"email": True, "sms": False}}, []),
    ],
)
def test_an_answer_gives_facts_of_a_channels_addresses(answer: dict[str, object], facts: list[Fact]) -> None:
    assert spoken_by(answer, "email") == facts
