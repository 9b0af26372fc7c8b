"""Addresses that lead back to a message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.delivery.content.links import MessageLinks, SiteLinks, hosts_of
from warehouse.message_token import MessageToken, MessageTokens

TOKENS = MessageTokens(b"secret")
MESSAGE = MessageToken("shop", "message-1", "cart_abandoned", "anna", "email", variant="plain")
SITES = {
    "shop": SiteLinks(hosts_of(("https://Shop.example/home", "http://localhost:8001", "*", ""))),
    "strict": SiteLinks(asks_first=True),
}
LINKS = MessageLinks("https://c.example/", TOKENS, SITES)


def target_of(address: str) -> str:
    """Where a click on a counted link leads; '' when it is not counted."""
    token = TOKENS.read(address.removeprefix("https://c.example/v1/c/"), "click", now_ms=0)
    return token.target if token else ""


@pytest.mark.parametrize(
    "target",
    [
        "https://shop.example/cart?a=1#b",
        "http://SHOP.example",
        "https://shop.example:8443/",
        "http://localhost:8001/p/é",
    ],
)
def test_a_link_to_the_shop_is_counted(target: str) -> None:
    assert target_of(LINKS.click(MESSAGE, target)) == target


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "https://shop.example.evil.example/",
        "https://shop.example@evil.example/",
        "https://evil.example\\@shop.example/",
        "https://anna:secret@shop.example/",
        "//shop.example/",
        "https:shop.example",
        "mailto:hello@shop.example",
        "tel:+49123",
        "#top",
        "javascript:alert(1)",
        "https://[half",
        "https://shop.example:99999999/",
        "https://shop.example:0/",
        "https://shop.example:-1/",
        "https://shop.example:8o/",
        "https://:443/",
        "",
        LINKS.unsubscribe(MESSAGE),
    ],
)
def test_any_other_address_stays_as_it_is(target: str) -> None:
    assert LINKS.click(MESSAGE, target) == target


@given(st.text() | st.from_regex(r"https?://[^/]{0,20}shop\.example[^ ]{0,20}", fullmatch=True))
def test_our_name_vouches_for_no_other_host(target: str) -> None:
    led_to = target_of(LINKS.click(MESSAGE, target))
    assert hosts_of([led_to]) <= {"shop.example", "localhost"}


def test_a_host_that_the_template_names_is_counted_too() -> None:
    target = "https://video.example/v/1"
    assert target_of(LINKS.click(MESSAGE, target, frozenset({"video.example"}))) == target
    assert LINKS.click(MESSAGE, target, frozenset({"other.example"})) == target


def test_an_address_that_makes_too_long_a_link_stays_as_it_is() -> None:
    target = f"https://shop.example/{'x' * 4000}"
    assert LINKS.click(MESSAGE, target) == target


def test_each_address_carries_the_message_and_is_good_for_one_thing() -> None:
    assert TOKENS.read(LINKS.pixel(MESSAGE).removeprefix("https://c.example/v1/o/")[:-4], "open", now_ms=0) == MESSAGE
    assert LINKS.pixel(MESSAGE).endswith(".gif")
    unsubscribe = LINKS.unsubscribe(MESSAGE).removeprefix("https://c.example/v1/u/")
    assert TOKENS.read(unsubscribe, "unsubscribe", now_ms=0) == MESSAGE
    assert TOKENS.read(unsubscribe, "click", now_ms=0) is None


@pytest.mark.parametrize(
    ("site", "agreed", "may"),
    [
        ("shop", None, True),
        ("shop", True, True),
        ("shop", False, False),
        ("strict", None, False),
        ("strict", True, True),
        ("strict", False, False),
        ("unknown", None, False),
    ],
)
def test_only_who_agreed_is_observed_or_who_was_never_asked_where_none_need_be(
    site: str, agreed: bool | None, may: bool
) -> None:
    assert LINKS.may_observe(site, agreed) is may
